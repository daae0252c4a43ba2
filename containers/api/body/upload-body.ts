import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { limits, refuse, type UploadFormat } from '../../../core/index.ts';
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
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  const format = formats[type];
  if (format === undefined || request.body === undefined || request.body === null) {
    throw refuse('unsupported-media-type', `Send the codes as ${uploadTypes.join(', ')}.`);
  }
  if (Number(request.headers['content-length']) > limits.uploadMaxBytes) {
    throw refuse('body-too-large', `An upload has at most ${limits.uploadMaxBytes} bytes; send several.`);
  }
  const body = request.body as IncomingMessage;
  cutWhenSlow(body);
  return { format, body };
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
