import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { limits, refuse } from '../../core/index.ts';
import { refuseEncodedBody } from './json-body.ts';

/** An upload that sends nothing for so long, while we wait for it, has broken off. */
const idleMaxMillis = 60_000;
const idleCheckMillis = 5_000;

/** How an upload's rows are written. */
export type UploadFormat = 'json' | 'csv' | 'ndjson';

const formats: Record<string, UploadFormat> = {
  'application/json': 'json',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
};

/** The content types of uploads. */
export const uploadTypes = Object.keys(formats);

/** Makes a part of the application take uploads: bodies in their content types are streams there, read by nobody yet. */
export function takeUploads(app: Pick<FastifyInstance, 'removeAllContentTypeParsers' | 'addContentTypeParser'>): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(uploadTypes, (request: FastifyRequest, payload: IncomingMessage, done) =>
    done(refuseEncodedBody(request), payload),
  );
}

/**
 * The upload that a request carries, unread. Its bytes are never all in memory.
 * @throws CouponError `unsupported-media-type` where it carries none, `body-too-large` where it says so itself
 */
export function readUpload(request: FastifyRequest): { format: UploadFormat; body: Readable } {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  const format = formats[type];
  if (format === undefined || request.body === undefined || request.body === null) {
    throw refuse('unsupported-media-type', `Send the codes as ${uploadTypes.join(', ')}.`);
  }
  if (Number(request.headers['content-length']) > limits.uploadMaxBytes) {
    throw refuse('body-too-large', `An upload has at most ${limits.uploadMaxBytes} bytes; send several.`);
  }
  const body = request.body as IncomingMessage;
  cutWhenIdle(body);
  return { format, body };
}

/**
 * Cuts an upload whose client has gone silent. Bytes that wait in our own buffers mean that we are slow and not the
 * client, and that is no reason.
 */
function cutWhenIdle(body: IncomingMessage): void {
  let seen = -1;
  let idleMillis = 0;
  const timer = setInterval(() => {
    const received = body.socket.bytesRead;
    idleMillis = received === seen && body.readableLength === 0 ? idleMillis + idleCheckMillis : 0;
    seen = received;
    if (idleMillis >= idleMaxMillis) body.destroy();
  }, idleCheckMillis);
  const stop = () => clearInterval(timer);
  body.once('end', stop).once('close', stop);
}
