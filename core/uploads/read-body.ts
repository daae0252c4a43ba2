import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { refuse } from '../errors.ts';
import { limits } from '../limits.ts';

/** The most that one piece of a body has: whoever reads makes room for what so many bytes can bring. */
export const pieceMaxBytes = 65_536;

/**
 * The pieces of an upload's body, of pieceMaxBytes at most. Whoever stops reading leaves the stream alive, so that a refusal can still be sent
 * on the same connection; what is left of the body should then be thrown away with `resume`.
 * @throws CouponError `body-too-large` beyond limits.uploadMaxBytes, `invalid-input` where the body breaks off
 */
export async function* readBody(body: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  const pieces: AsyncIterator<Uint8Array | string> = body.iterator({ destroyOnReturn: false });
  for (;;) {
    const piece = await pieces.next().catch(() => {
      throw refuse('invalid-input', 'The upload broke off before its end; nothing of it was taken.');
    });
    if (piece.done) return;
    const bytes = typeof piece.value === 'string' ? Buffer.from(piece.value) : piece.value;
    total += bytes.length;
    if (total > limits.uploadMaxBytes) {
      const detail = `An upload has at most ${limits.uploadMaxBytes} bytes; send the rest as a second deck.`;
      throw refuse('body-too-large', detail);
    }
    // A stream may give what it likes; who reads counts on small pieces.
    for (let at = 0; at < bytes.length; at += pieceMaxBytes) yield bytes.subarray(at, at + pieceMaxBytes);
  }
}

/**
 * Waits until `bytes` of a body are there, or all of it, and gives the same pieces again. So what an upload needs while it
 * runs is taken only when there is something to do. Throws what readBody throws.
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
export async function digestBody(body: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of readBody(body)) hash.update(piece);
  return hash.digest('hex');
}
