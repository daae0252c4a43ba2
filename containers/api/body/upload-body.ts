import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { invalidInput, type JobRequest, limits, refuse, type UploadFormat } from '../../../core/index.ts';
import { refuseEncodedBody } from './json-body.ts';
import { UploadPace } from './upload-pace.ts';

const paceCheckMillis = 5_000;

const formats: Record<string, UploadFormat> = {
  'application/json': 'json',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
};

/** The content types of uploads. */
export const uploadTypes = Object.keys(formats);

/**
 * Makes the part of the application that registers it take uploads: bodies in their content types are streams there,
 * read by nobody yet.
 */
export const uploadBodies = fp(
  async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(uploadTypes, (request: FastifyRequest, payload: IncomingMessage, done) =>
      done(refuseEncodedBody(request), payload),
    );
  },
  { name: 'upload-bodies', dependencies: ['json-bodies'] },
);

/**
 * The upload that a request carries, unread. Its bytes are never all in memory.
 * @throws CouponError `unsupported-media-type` where it carries none, `body-too-large` where it says so itself
 */
export function readUpload(request: FastifyRequest): { format: UploadFormat; body: Readable } {
  const format = formats[typeOf(request)];
  if (format === undefined || request.body === undefined || request.body === null) {
    throw refuse('unsupported-media-type', `Send the codes as ${uploadTypes.join(', ')}.`);
  }
  return { format, body: streamOf(request, limits.uploadMaxBytes) };
}

/**
 * The file that a request for a job carries, unread; null for a kind that has none.
 * @throws CouponError `unsupported-media-type` where the file is missing or no CSV, `body-too-large` where it says so
 *   itself, `invalid-input` for a body where there is no place for one
 */
export function readJobFile(request: FastifyRequest, kind: JobRequest['kind']): Readable | null {
  const hasBody = request.body !== undefined && request.body !== null;
  if (kind === 'assign' || kind === 'void') {
    // A file without a byte is no body to the framework.
    if (typeOf(request) === 'text/csv') return hasBody ? streamOf(request, limits.jobMaxBytes) : Readable.from([]);
    throw refuse('unsupported-media-type', `Send the rows of a job of the kind ${kind} as text/csv.`);
  }
  // Clients that always send JSON send `{}` where there is nothing to say.
  const isEmpty = Number(request.headers['content-length'] ?? Number.NaN) <= '{}'.length;
  if (hasBody) (request.body as IncomingMessage).resume();
  if (hasBody && !isEmpty) throw invalidInput('body', 'has no place in an export; its filters are parameters');
  return null;
}

function typeOf(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function streamOf(request: FastifyRequest, maxBytes: number): IncomingMessage {
  if (Number(request.headers['content-length']) > maxBytes) {
    throw refuse('body-too-large', `An upload has at most ${maxBytes} bytes here; send several.`);
  }
  const body = request.body as IncomingMessage;
  cutWhenSlow(body);
  return body;
}

/** Cuts an upload whose client is silent or too slow. */
function cutWhenSlow(body: IncomingMessage): void {
  const pace = new UploadPace();
  let seen = body.socket.bytesRead;
  const timer = setInterval(() => {
    const { bytesRead } = body.socket;
    if (pace.isTooSlow(bytesRead - seen, paceCheckMillis, body.readableLength === 0)) body.destroy();
    seen = bytesRead;
  }, paceCheckMillis);
  const stop = () => clearInterval(timer);
  body.once('end', stop).once('close', stop);
}
