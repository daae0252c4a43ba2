import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it was received. */
export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | null;
  links: { traceId: string; spanId: string }[];
  attributes: Record<string, string>;
}

/** A receiver of traces on this machine. */
export interface OtlpReceiver {
  readonly endpoint: string;
  /** The bytes of all requests so far, and the spans in them. */
  readonly bodies: Buffer[];
  /** The headers of each. */
  readonly headers: IncomingHttpHeaders[];
  spans(): ReceivedSpan[];
  close(): Promise<void>;
}

/** Starts a receiver. @param answer what it does with a request; it says 200 unless told */
export async function startOtlpReceiver(
  answer: (response: ServerResponse) => void = (response) => void response.writeHead(200).end(),
): Promise<OtlpReceiver> {
  const bodies: Buffer[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(Buffer.concat(chunks));
    headers.push(request.headers);
    answer(response);
  });
  // Node would close an idle connection after five seconds, just when a client that was stalled sends on it.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    headers,
    spans: () => bodies.flatMap(spansOf),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A field of a Protocol Buffers message: its number, and a number, or the bytes of a text or a message. */
type Field = [number: number, value: number | Buffer];

/** Reads a message's fields by the wire format; the packages that write traces have no reader of them. */
function* fieldsOf(bytes: Buffer): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (type === 0) yield [number, varint()];
    else if (type === 1 || type === 5) {
      const size = type === 1 ? 8 : 4;
      yield [number, bytes.subarray(at, at + size)];
      at += size;
    } else {
      const size = varint();
      yield [number, bytes.subarray(at, at + size)];
      at += size;
    }
  }
}

/** The messages in a field that may come again and again. */
function messages(bytes: Buffer, number: number): Buffer[] {
  return [...fieldsOf(bytes)].flatMap(([found, value]) => (found === number ? [value as Buffer] : []));
}

/** Of ExportTraceServiceRequest: resource_spans 1, scope_spans 2, spans 2. */
function spansOf(body: Buffer): ReceivedSpan[] {
  const scopes = messages(body, 1).flatMap((resource) => messages(resource, 2));
  return scopes.flatMap((scope) => messages(scope, 2)).map(readSpan);
}

/** Of Span: trace_id 1, span_id 2, parent_span_id 4, name 5, attributes 9, links 13. */
function readSpan(bytes: Buffer): ReceivedSpan {
  const one = (number: number) => messages(bytes, number)[0];
  const parent = one(4);
  return {
    name: one(5)!.toString(),
    traceId: one(1)!.toString('hex'),
    spanId: one(2)!.toString('hex'),
    parentSpanId: parent === undefined || parent.length === 0 ? null : parent.toString('hex'),
    links: messages(bytes, 13).map((link) => ({
      traceId: messages(link, 1)[0]!.toString('hex'),
      spanId: messages(link, 2)[0]!.toString('hex'),
    })),
    attributes: Object.fromEntries(messages(bytes, 9).map(readAttribute)),
  };
}

/** Of KeyValue: key 1, value 2. The value stays as the text that is in its bytes; a whole number becomes its digits. */
function readAttribute(bytes: Buffer): [string, string] {
  const value = messages(bytes, 2)[0]!;
  const [[number, content]] = [...fieldsOf(value)] as [Field];
  const text = typeof content === 'number' ? String(content) : content.toString(number === 1 ? 'utf8' : 'latin1');
  return [messages(bytes, 1)[0]!.toString(), text];
}
