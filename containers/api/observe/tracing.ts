import type { Span } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { BatchTrace, Config, Log, RequestTrace, TraceAttributes, Tracing } from '../../../core/index.ts';
import { openXrayExporter } from './xray-exporter.ts';

/** How much of traces is kept, and how long their sending may take. */
export const tracingLimits = {
  /** The most members of a batch that its trace links to. */
  linksMax: 32,
  /** Spans that wait to be sent, at most: more are dropped, and nobody waits for the receiver. */
  queueMaxSpans: 2_048,
  sendEveryMillis: 2_000,
  sendTimeoutMillis: 2_000,
  /** How long the end of the process waits for the last spans: longer than one try to send takes. */
  closeMaxMillis: 3_000,
} as const;

/** What the container does with traces. */
export interface ContainerTracing extends Tracing {
  /**
   * Begins the trace of a request, or says that it is not sampled.
   * @param traceparent the header of that name, by W3C Trace Context; sampled there is sampled here
   */
  sample(traceparent: unknown): SampledRequest | null;
  /** Sends what waits, for tracingLimits.closeMaxMillis at most. Never rejects. */
  close(): Promise<void>;
}

/** A request that is traced. */
export interface SampledRequest extends RequestTrace {
  end(name: string, attributes: TraceAttributes): void;
}

const sampledParent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f][13579bdf]$/;

/** Loads OpenTelemetry, and opens the sending of spans by OTLP. */
async function openProvider(config: NonNullable<Config['tracing']>, log: Pick<Log, 'warn'>) {
  const [sdk, exporter, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    openExporter(config, log),
    import('@opentelemetry/resources'),
  ]);
  return new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'qurable-api' }),
    // What is not sampled never gets here.
    sampler: new sdk.AlwaysOnSampler(),
    spanLimits: { linkCountLimit: tracingLimits.linksMax },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter,
        maxQueueSize: tracingLimits.queueMaxSpans,
        scheduledDelayMillis: tracingLimits.sendEveryMillis,
        exportTimeoutMillis: tracingLimits.sendTimeoutMillis,
      }),
    ],
  });
}

/**
 * Opens traces by OpenTelemetry, sent by OTLP. Its packages are loaded here alone, where a receiver is configured.
 * Nothing is instrumented but what notes itself, and no span has a code, a user id or a token.
 */
export async function openTracing(
  config: NonNullable<Config['tracing']>,
  log: Pick<Log, 'warn'>,
): Promise<ContainerTracing> {
  const { oneIn } = config;
  const api = await import('@opentelemetry/api');
  const provider = await openProvider(config, log);
  const tracer = provider.getTracer('qurable');
  const spans = new WeakMap<RequestTrace, Span>();
  let untilNext = oneIn;

  const childOf = (parent: Span, name: string, from: number, to: number, attributes: TraceAttributes) => {
    const context = api.trace.setSpan(api.ROOT_CONTEXT, parent);
    tracer.startSpan(name, { startTime: from, attributes: mutable(attributes) }, context).end(to);
  };
  const begin = (parent: RegExpExecArray | null): SampledRequest => {
    const context =
      parent === null
        ? api.ROOT_CONTEXT
        : api.trace.setSpanContext(api.ROOT_CONTEXT, {
            traceId: parent[1]!,
            spanId: parent[2]!,
            traceFlags: api.TraceFlags.SAMPLED,
            isRemote: true,
          });
    const span = tracer.startSpan('request', { kind: api.SpanKind.SERVER, startTime: performance.now() }, context);
    const request: SampledRequest = {
      part: (name, from, to, attributes) => childOf(span, name, from, to, attributes),
      end(name, attributes) {
        span.updateName(name);
        span.setAttributes(mutable(attributes));
        if (Number(attributes['http.response.status_code']) >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR });
        span.end(performance.now());
      },
    };
    spans.set(request, span);
    return request;
  };

  return {
    sample(traceparent) {
      untilNext -= 1;
      const isNext = untilNext === 0;
      if (isNext) untilNext = oneIn;
      else if (traceparent === undefined) return null;
      const parent = typeof traceparent === 'string' ? sampledParent.exec(traceparent) : null;
      return isNext || parent !== null ? begin(parent) : null;
    },
    beginBatch(queue, from, members): BatchTrace {
      const linked = members.slice(0, tracingLimits.linksMax).flatMap((member) => spans.get(member) ?? []);
      const links = linked.map((span) => ({ context: span.spanContext() }));
      const batch = tracer.startSpan(`batch ${queue}`, { root: true, startTime: from, links }, api.ROOT_CONTEXT);
      return {
        now: () => performance.now(),
        statements: (names, start, to) => childOf(batch, 'statements', start, to, { 'qurable.statements': names }),
        end(to, attributes) {
          batch.setAttributes(mutable(attributes));
          batch.end(to);
        },
      };
    },
    async close() {
      const timer = Promise.withResolvers<void>();
      const timeOut = setTimeout(timer.resolve, tracingLimits.closeMaxMillis);
      await Promise.race([provider.shutdown().catch(() => {}), timer.promise]);
      clearTimeout(timeOut);
    },
  };
}

async function openExporter(
  { endpoint, awsRegion }: NonNullable<Config['tracing']>,
  log: Pick<Log, 'warn'>,
): Promise<SpanExporter> {
  const to = { url: `${endpoint.replace(/\/$/, '')}/v1/traces`, timeoutMillis: tracingLimits.sendTimeoutMillis };
  if (awsRegion !== null) return openXrayExporter({ ...to, region: awsRegion }, log);
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter(to);
}

function mutable(attributes: TraceAttributes): Record<string, string | number | string[]> {
  return attributes as Record<string, string | number | string[]>;
}
