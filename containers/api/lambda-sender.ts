import {
  answerMaxMillis,
  type Clock,
  type Log,
  type OutboundAnswer,
  type OutboundRequest,
  type Sender,
} from '../../core/index.ts';

/**
 * The function's answer is a receiver's, at most 16 seconds after it began, and a cold start before. Less than a
 * lease's margin.
 */
const callMaxMillis = answerMaxMillis + 4_000;
/** As many calls the SDK makes of one, with growing pauses, where Lambda throttles or fails. */
const callsMost = 5;

/**
 * Opens a sender that has a function send (handlers/deliver.ts), for a process whose network leads nowhere. The AWS SDK
 * is loaded by this alone. Where the function can't be called, or fails, the answer is `connection-failed` and a line
 * at level error says so: what was to be sent is tried again as after any failure.
 * @param parts.functionArn its region is the one that is called
 */
export async function openLambdaSender(parts: { functionArn: string; clock: Clock; log: Log }): Promise<Sender> {
  const { functionArn, clock, log } = parts;
  const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
  const client = new LambdaClient({ region: functionArn.split(':')[3]!, maxAttempts: callsMost });
  const end = new AbortController();

  return {
    async send({ url, headers, body }) {
      const start = clock.monotonic();
      try {
        const abortSignal = AbortSignal.any([end.signal, AbortSignal.timeout(callMaxMillis)]);
        const request: OutboundRequest = { url, headers, body };
        const call = new InvokeCommand({ FunctionName: functionArn, Payload: Buffer.from(JSON.stringify(request)) });
        const { FunctionError, Payload } = await client.send(call, { abortSignal });
        if (FunctionError !== undefined) throw new FunctionFailed();
        return readAnswer(Payload);
      } catch (error) {
        // An error's message may repeat the payload, which is somebody's event.
        if (!end.signal.aborted)
          log.error({ reason: (error as Error).name }, 'the function that sends webhooks failed');
        const millis = Math.round(clock.monotonic() - start);
        return { statusCode: null, error: 'connection-failed', retryAfter: null, millis };
      }
    },
    async close() {
      end.abort();
      client.destroy();
    },
  };
}

class FunctionFailed extends Error {
  override name = 'FunctionFailed';
}

/** The function's own word, from the same version of the code or the one before. */
function readAnswer(payload: Uint8Array | undefined): OutboundAnswer {
  const answer = JSON.parse(Buffer.from(payload ?? []).toString()) as OutboundAnswer | null;
  if (typeof answer?.millis !== 'number') throw new FunctionFailed();
  return answer;
}
