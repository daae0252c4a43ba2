import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { type CouponError, invalidInput, limits, refuse } from '../../../core/index.ts';
import { nameOfRoute } from '../rules/route-rules.ts';
import { parseJsonText } from './json-text.ts';

type Done = (error: Error | null, body?: unknown) => void;

/** Charsets whose texts are UTF-8 as they are. */
const takenCharsets = new Set(['', 'utf-8', 'utf8', 'us-ascii', 'ascii']);

/** Why a body in another coding than plain UTF-8 is not taken: one for its transport, such as gzip, or a charset. */
export function refuseEncodedBody(request: FastifyRequest): CouponError | null {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    return refuse('unsupported-media-type', 'Send the body as it is: no Content-Encoding is taken.');
  }
  const contentType = request.headers['content-type'] ?? '';
  if (!contentType.includes(';')) return null;
  const charset = charsetOf(contentType);
  if (takenCharsets.has(charset)) return null;
  return refuse(
    'unsupported-media-type',
    `Send the body in UTF-8: the charset ${charset.slice(0, 40)} of Content-Type is not taken.`,
  );
}

/** The charset that a content type names, in lower case and without quotes; empty where it names none. */
function charsetOf(contentType: string): string {
  for (const parameter of contentType.split(';').slice(1)) {
    const [name = '', value = ''] = parameter.split('=', 2);
    if (name.trim().toLowerCase() === 'charset') return value.replaceAll('"', '').trim().toLowerCase();
  }
  return '';
}

/**
 * Makes `application/json` the one content type that is taken. A body beyond limits.bodyMaxBytes, or the larger
 * `bodyLimit` that its route has, is `body-too-large`.
 * @throws Error, at the start, for a route with a smaller limit, which would not be kept
 */
export const jsonBodies = fp(
  async (app) => {
    app.addHook('onRoute', (route) => {
      if (route.bodyLimit !== undefined && route.bodyLimit < limits.bodyMaxBytes) {
        throw new Error(`The route ${nameOfRoute(route)} has a bodyLimit below everyone's`);
      }
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', (request: FastifyRequest, payload: IncomingMessage, done: Done) => {
      const refusal = refuseEncodedBody(request);
      if (refusal !== null) {
        done(refusal);
        return;
      }
      readBytes(request, payload, (error, bytes) => {
        if (bytes === undefined) {
          done(error);
          return;
        }
        let value: unknown;
        try {
          value = parseBytes(bytes);
        } catch (problem) {
          done(problem as Error);
          return;
        }
        done(null, value);
      });
    });
  },
  { name: 'json-bodies' },
);

/** No bytes at all are no body, which some routes allow. */
function parseBytes(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw invalidInput('body', 'must be UTF-8');
  const text = bytes.toString('utf8');
  return parseJsonText(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
}

/** The route's own limit is looked up last: Fastify puts a request's options together anew each time. */
function isBeyondLimit(request: FastifyRequest, bytes: number): boolean {
  return bytes > limits.bodyMaxBytes && bytes > request.routeOptions.bodyLimit;
}

function tooLarge(request: FastifyRequest): CouponError {
  const { bodyLimit } = request.routeOptions;
  return refuse('body-too-large', `The body has more than the ${bodyLimit} bytes that are taken here.`);
}

function readBytes(
  request: FastifyRequest,
  payload: IncomingMessage,
  done: (error: Error | null, bytes?: Buffer) => void,
): void {
  let isTooLarge = isBeyondLimit(request, Number(request.headers['content-length']));
  let chunks: Buffer[] = [];
  let length = 0;
  const finish = (error: Error | null) => {
    clearTimeout(timer);
    payload.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut);
    if (isTooLarge) done(tooLarge(request));
    else if (error !== null) done(error);
    else done(null, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length));
  };
  const onData = (chunk: Buffer) => {
    length += chunk.length;
    isTooLarge ||= isBeyondLimit(request, length);
    // Too large a body is read to its end and dropped: answering and closing before that would reset the connection of
    // a client that is still sending, which then never sees the answer.
    if (isTooLarge) chunks = [];
    else chunks.push(chunk);
  };
  const onEnd = () => finish(null);
  const onCut = () => finish(invalidInput('body', 'broke off before its end'));
  const onLate = () => finish(invalidInput('body', 'did not arrive in time; send it whole'));
  const timer = setTimeout(onLate, limits.bodyMaxMillis);
  payload.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut);
}
