import { alteredSize, blockBytes, type Halves, type Rounds } from './ff1-rounds.ts';

/** Halves up to here are added and reduced exactly in JavaScript numbers, with bits to spare below 2^53. */
export const narrowHalfMax = 2n ** 48n;
/** Bound once: where globals are behind a proxy, as under the test runner, looking up `Math` costs most of a round. */
const { floor } = Math;

/** Halves of at most `narrowHalfMax`, in JavaScript numbers: one AES call a round for all messages of a slice. */
export function narrowHalves(rounds: Rounds): Halves<Float64Array> {
  const { radix, length } = rounds;
  return {
    read(numerals, offset, digits) {
      const half = new Float64Array(numerals.length / length);
      for (let k = 0, start = offset; k < half.length; k += 1, start += length) {
        let value = 0;
        for (let at = start; at < start + digits; at += 1) value = value * radix + numerals[at]!;
        half[k] = value;
      }
      return half;
    },
    mix(altered, source, round, sign) {
      mixNarrow(rounds, altered, source, round, sign);
    },
    write(half, numerals, offset, digits) {
      for (let k = 0, start = offset; k < half.length; k += 1, start += length) {
        let value = half[k]!;
        for (let at = start + digits - 1; at >= start; at -= 1) {
          // Exact below 2^53: the quotient's rounding error is below 1/radix, its least distance from the next number.
          const rest = floor(value / radix);
          numerals[at] = value - rest * radix;
          value = rest;
        }
      }
    },
  };
}

function mixNarrow(rounds: Rounds, altered: Float64Array, source: Float64Array, round: number, sign: 1 | -1): void {
  const modulus = Number(alteredSize(rounds, round));
  const inverse = 1 / modulus;
  const results = viewOf(rounds.encryptBlocks(narrowBlocks(rounds, source, round)));
  for (let k = 0; k < altered.length; k += 1) {
    const y = remainder(results, k * blockBytes, rounds.resultBytes, modulus, inverse);
    const mixed = altered[k]! + sign * y;
    altered[k] = mixed >= modulus ? mixed - modulus : mixed < 0 ? mixed + modulus : mixed;
  }
}

/** The last block of P || Q for each message: a half of at most six bytes and the round's number always fit in one. */
function narrowBlocks({ tail, halfBytes }: Rounds, source: Float64Array, round: number): Buffer {
  const head = Buffer.from(tail);
  head[blockBytes - 1 - halfBytes] = head[blockBytes - 1 - halfBytes]! ^ round;
  const headHigh = head.readUInt32BE(8);
  const headLow = head.readUInt32BE(12);

  const blocks = Buffer.alloc(source.length * blockBytes, head);
  const view = viewOf(blocks);
  for (let k = 0, at = 0; k < source.length; k += 1, at += blockBytes) {
    const value = source[k]!;
    const high = floor(value / 2 ** 32);
    view.setUint32(at + 8, headHigh ^ high);
    view.setUint32(at + 12, headLow ^ (value - high * 2 ** 32));
  }
  return blocks;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The number in the first `resultBytes` (8 or 12) bytes at `at`, modulo `modulus`, exactly: long division, with steps
 * so short that no intermediate value reaches 2^53. The first six bytes stay below 2^48. Eight bytes mean a modulus of
 * at most 2^32, so two more bytes fit in one step; twelve mean one of at most 2^48, where half a byte does.
 */
function remainder(view: DataView, at: number, resultBytes: number, modulus: number, inverse: number): number {
  let rest = reduce(view.getUint32(at) * 2 ** 16 + view.getUint16(at + 4), modulus, inverse);
  if (resultBytes === 8) return reduce(rest * 2 ** 16 + view.getUint16(at + 6), modulus, inverse);
  for (let next = at + 6; next < at + 12; next += 1) {
    const byte = view.getUint8(next);
    if (modulus <= 2 ** 44) {
      rest = reduce(rest * 256 + byte, modulus, inverse);
    } else {
      rest = reduce(rest * 16 + (byte >> 4), modulus, inverse);
      rest = reduce(rest * 16 + (byte & 15), modulus, inverse);
    }
  }
  return rest;
}

/**
 * `value` modulo `modulus`, faster than `%` on numbers beyond 32 bits. The quotient from the rounded inverse is wrong
 * by at most one, and with value + modulus at most 2^53 each product is exact, so one correction settles it.
 */
function reduce(value: number, modulus: number, inverse: number): number {
  const rest = value - floor(value * inverse) * modulus;
  return rest < 0 ? rest + modulus : rest >= modulus ? rest - modulus : rest;
}
