import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { refuse } from '../errors.ts';
import { limits } from '../limits.ts';

/** Most bytes of one piece of a body. Readers have room for what so many bytes can add. */
export const pieceMaxBytes = 65_536;

/**
 * Yields an upload's body in pieces of at most pieceMaxBytes. If the reader stops early, the stream stays open, so that
 * a refusal can still be sent on the same connection. Then throw away the rest of the body with `resume`.
 * @param maxBytes how many bytes it may have
 * @throws CouponError `body-too-large` beyond maxBytes, `invalid-input` where the body breaks off
 */
export async function* readBody(
  body: Readable,
  maxBytes: number = limits.uploadMaxBytes,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  const pieces: AsyncIterator<Uint8Array | string> = body.iterator({ destroyOnReturn: false });
  for (;;) {
    const piece = await pieces.next().catch(() => {
      throw refuse('invalid-input', 'The upload broke off before its end; nothing of it was taken.');
    });
    if (piece.done) return;
    const bytes = typeof piece.value === 'string' ? Buffer.from(piece.value) : piece.value;
    total += bytes.length;
    if (total > maxBytes) {
      const detail = `An upload has at most ${maxBytes} bytes here; send the rest as a second one.`;
      throw refuse('body-too-large', detail);
    }
    // A stream may yield pieces of any size; readers rely on small ones.
    for (let at = 0; at < bytes.length; at += pieceMaxBytes) yield bytes.subarray(at, at + pieceMaxBytes);
  }
}

/**
 * Waits until `bytes` of a body have arrived, or all of it, and yields the same pieces again. So a slow sender takes no
 * slot and no connection before there is something to do. Throws what readBody throws.
 */
export async function readAhead(
  pieces: AsyncGenerator<Uint8Array, void, undefined>,
  bytes: number,
): Promise<AsyncIterable<Uint8Array>> {
  const head: Uint8Array[] = [];
  for (let total = 0; total < bytes; ) {
    const piece = await pieces.next();
    if (piece.done) break;
    head.push(piece.value);
    total += piece.value.length;
  }
  return (async function* () {
    yield* head;
    yield* pieces;
  })();
}

/** SHA-256 over the whole body, in hexadecimal. Throws what readBody throws. */
export async function digestBody(body: Readable, maxBytes?: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of readBody(body, maxBytes)) hash.update(piece);
  return hash.digest('hex');
}
