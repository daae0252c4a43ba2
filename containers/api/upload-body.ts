import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { invalidInput, limits, refuse } from '../../core/index.ts';

/** An upload that sends nothing for so long while we could read has broken off. */
const idleMaxMillis = 60_000;

/** How an upload's rows are written. */
export type UploadFormat = 'json' | 'csv' | 'ndjson';

const formats: Record<string, UploadFormat> = {
  'application/json': 'json',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
};

/** Makes a part of the application take uploads: bodies in their content types are streams there, read by nobody yet. */
export function takeUploads(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(Object.keys(formats), (_request, payload: IncomingMessage, done) => done(null, payload));
}

/**
 * The upload that a request carries. Its bytes pass through as they come, counted and timed.
 * @throws CouponError `unsupported-media-type` where it carries none
 */
export function readUpload(request: FastifyRequest): { format: UploadFormat; stream: Readable } {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  const format = formats[type];
  if (format === undefined || request.body === undefined || request.body === null) {
    throw refuse('unsupported-media-type', `Send the codes as ${Object.keys(formats).join(', ')}.`);
  }
  if (Number(request.headers['content-length']) > limits.uploadMaxBytes) throw tooLarge();
  const meter = new UploadMeter();
  // An upload that breaks off ends the stream with an error, never as if it were complete.
  pipeline(request.body as IncomingMessage, meter, () => meter.stopTimer());
  return { format, stream: meter };
}

function tooLarge() {
  return refuse('body-too-large', `An upload has at most ${limits.uploadMaxBytes} bytes; split it into several decks.`);
}

/** Counts an upload's bytes and watches that they keep coming. The reader's own slowness does not count as idle. */
class UploadMeter extends Transform {
  private bytes = 0;
  private ended = false;
  private timer: NodeJS.Timeout | undefined;

  constructor() {
    super();
    this.startTimer();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.stopTimer();
    this.bytes += chunk.length;
    const fits = this.bytes <= limits.uploadMaxBytes;
    if (fits && this.push(chunk)) this.startTimer();
    done(fits ? null : tooLarge());
  }

  override _read(size: number): void {
    if (this.timer === undefined && !this.ended) this.startTimer();
    super._read(size);
  }

  override _flush(done: TransformCallback): void {
    this.ended = true;
    this.stopTimer();
    done();
  }

  stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private startTimer(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.destroy(brokenOff()), idleMaxMillis);
    this.timer.unref();
  }
}

function brokenOff() {
  return invalidInput('body', `sent nothing for ${idleMaxMillis / 1000} seconds; nothing of it was kept`);
}
