import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { type Log, signAwsRequest, systemClock } from '../../../core/index.ts';

/** The results of OpenTelemetry's exporters. */
const [sent, failed] = [0, 1] as const;

/**
 * Opens an exporter to X-Ray's OTLP endpoint, which wants each request signed by the task's role. It sends once: what
 * is refused or too late is lost, and the log says so when the reason is news. Nobody waits for it.
 * @param to.url such as https://xray.us-east-1.amazonaws.com/v1/traces
 */
export async function openXrayExporter(
  to: { url: string; region: string; timeoutMillis: number },
  log: Pick<Log, 'warn'>,
): Promise<SpanExporter> {
  const [{ ProtobufTraceSerializer }, { LambdaClient }] = await Promise.all([
    import('@opentelemetry/otlp-transformer'),
    import('@aws-sdk/client-lambda'),
  ]);
  const url = new URL(to.url);
  // Of the SDK it takes the credentials alone: they are fetched where the task finds them, and anew before they end.
  const { credentials } = new LambdaClient({ region: to.region }).config;
  const underWay = new Set<Promise<void>>();
  let told: string | null = null;

  const send = async (body: Uint8Array): Promise<void> => {
    const signature = { credentials: await credentials(), region: to.region, service: 'xray', now: systemClock.now() };
    const request = { method: 'POST', url, headers: { 'content-type': 'application/x-protobuf' }, body };
    const headers = await signAwsRequest(request, signature);
    const signal = AbortSignal.timeout(to.timeoutMillis);
    const answer = await fetch(url, { method: 'POST', headers, body: Buffer.from(body), signal });
    await answer.arrayBuffer();
    if (!answer.ok) throw new NotTaken(`status ${answer.status}`);
  };
  const tell = (reason: string | null) => {
    if (reason !== null && reason !== told) log.warn({ reason }, 'traces could not be sent');
    told = reason;
  };

  return {
    export(spans, done) {
      const body = ProtobufTraceSerializer.serializeRequest(spans);
      if (body === undefined) {
        done({ code: failed });
        return;
      }
      const sending: Promise<void> = send(body)
        .then(
          () => {
            tell(null);
            done({ code: sent });
          },
          (error: Error) => {
            tell(error instanceof NotTaken ? error.message : error.name);
            done({ code: failed, error });
          },
        )
        .finally(() => underWay.delete(sending));
      underWay.add(sending);
    },
    forceFlush: async () => void (await Promise.all(underWay)),
    shutdown: async () => void (await Promise.all(underWay)),
  };
}

class NotTaken extends Error {
  override name = 'NotTaken';
}
