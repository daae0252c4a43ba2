import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { refuse } from '../errors.ts';
import { limits } from '../limits.ts';

/**
 * The pieces of an upload's body. Whoever stops reading leaves the stream alive, so that a refusal can still be sent
 * on the same connection; what is left of the body should then be thrown away with `resume`.
 * @throws CouponError `body-too-large` beyond limits.uploadMaxBytes, `invalid-input` where the body breaks off
 */
export async function* readBody(body: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  const pieces: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: false });
  for (;;) {
    const piece = await pieces.next().catch(() => {
      throw refuse('invalid-input', 'The upload broke off before its end; nothing of it was taken.');
    });
    if (piece.done) return;
    bytes += piece.value.length;
    if (bytes > limits.uploadMaxBytes) {
      throw refuse(
        'body-too-large',
        `An upload has at most ${limits.uploadMaxBytes} bytes; send the rest as a second deck.`,
      );
    }
    yield piece.value;
  }
}

/** SHA-256 over the whole body, in hexadecimal. Throws what readBody throws. */
export async function digestBody(body: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of readBody(body)) hash.update(piece);
  return hash.digest('hex');
}
