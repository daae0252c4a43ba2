import { createCipheriv } from 'node:crypto';

/**
 * FF1 format-preserving encryption: a keyed permutation of the strings of `length` numerals below `radix`.
 *
 * Source: NIST SP 800-38G, "Recommendation for Block Cipher Modes of Operation: Methods for Format-Preserving
 * Encryption", algorithms 7 (FF1.Encrypt) and 8 (FF1.Decrypt), with the floor of a million strings of its revision 1.
 *
 * Both methods take a batch: the numerals of message 0, then those of message 1, and so on, one numeral a byte, the
 * most significant first. They return a new array of the same layout and leave their argument alone.
 *
 * @throws RangeError when the array is not a whole number of messages or holds a numeral that is not below the radix.
 */
export interface Ff1 {
  /** Symbols a numeral can take, 2 to 36. */
  readonly radix: number;
  /** Numerals a message. */
  readonly length: number;
  encrypt(numerals: Uint8Array): Uint8Array;
  decrypt(numerals: Uint8Array): Uint8Array;
}

const ROUNDS = 10;
const BLOCK_BYTES = 16;
const RADIX_MIN = 2;
const RADIX_MAX = 36;
/** Codes have at most 64 symbols; the room above them is for checking the algorithm, not a need. */
const LENGTH_MAX_NUMERALS = 1024;
/** The floor of SP 800-38G revision 1: smaller domains have practical attacks. */
const DOMAIN_MIN = 1_000_000n;
/** Halves up to here are added and reduced exactly in JavaScript numbers, with bits to spare below 2^53. */
const NARROW_HALF_MAX = 2n ** 48n;
/** Bounds the working memory (16 bytes a message and round) and keeps it inside a core's cache. */
const SLICE_MAX_MESSAGES = 1024;
const NO_TWEAK = new Uint8Array(0);
/** Bound once: where globals are behind a proxy, as under the test runner, looking up `Math` costs most of a round. */
const { floor } = Math;

/**
 * Prepares FF1 for one key, radix and length.
 *
 * Where a half of the message is at most 2^48, a whole batch costs one AES call a round and plain arithmetic; beyond
 * that BigInt takes over with the same result (test: "equals an independent implementation for every radix and
 * length").
 *
 * @param key 16, 24 or 32 bytes (AES-128, AES-192, AES-256).
 * @param radix symbols a numeral can take, 2 to 36.
 * @param length numerals a message, at most 1024, such that radix^length is at least 1,000,000.
 * @param tweak public bytes that select another permutation; none by default.
 * @throws RangeError when an argument is outside its bounds.
 */
export function createFf1(key: Uint8Array, radix: number, length: number, tweak: Uint8Array = NO_TWEAK): Ff1 {
  checkBounds(key, radix, length);
  const cipher = prepareRounds(key, radix, length, tweak);
  const permute =
    BigInt(radix) ** BigInt(cipher.rightLength) <= NARROW_HALF_MAX
      ? permuteWith(cipher, narrowHalves(cipher))
      : permuteWith(cipher, wideHalves(cipher));
  return {
    radix,
    length,
    encrypt: (numerals) => permute(numerals, 1),
    decrypt: (numerals) => permute(numerals, -1),
  };
}

function checkBounds(key: Uint8Array, radix: number, length: number): void {
  if (key.length !== 16 && key.length !== 24 && key.length !== 32)
    throw new RangeError(`FF1 needs an AES key of 16, 24 or 32 bytes, not ${key.length}`);
  if (!Number.isInteger(radix) || radix < RADIX_MIN || radix > RADIX_MAX)
    throw new RangeError(`FF1 needs a radix of ${RADIX_MIN} to ${RADIX_MAX}, not ${radix}`);
  if (!Number.isInteger(length) || length < 2 || length > LENGTH_MAX_NUMERALS)
    throw new RangeError(`FF1 needs 2 to ${LENGTH_MAX_NUMERALS} numerals, not ${length}`);
  if (BigInt(radix) ** BigInt(length) < DOMAIN_MIN)
    throw new RangeError(`FF1 needs at least ${DOMAIN_MIN} messages; ${radix}^${length} is fewer`);
}

/** What the ten rounds of every message share. */
interface Rounds {
  readonly radix: number;
  readonly length: number;
  /** Numerals in the left half: `u` of the standard. */
  readonly leftLength: number;
  /** Numerals in the right half, the same or one more: `v` of the standard. */
  readonly rightLength: number;
  /** Bytes that hold a half as a number: `b` of the standard. */
  readonly halfBytes: number;
  /** Bytes of the round function's result: `d` of the standard. */
  readonly resultBytes: number;
  /** The blocks of P || Q that change, with a round and a half of zero and the blocks before them folded in. */
  readonly tail: Buffer;
  /** AES of each block by itself. */
  encryptBlocks(blocks: Uint8Array): Buffer;
}

/**
 * Steps 1 to 5 of the algorithm, and of step 6 what does not depend on the message: P, the tweak and the padding come
 * first in P || Q, so the CBC-MAC over them is the same in every round and is taken once.
 */
function prepareRounds(key: Uint8Array, radix: number, length: number, tweak: Uint8Array): Rounds {
  const leftLength = Math.floor(length / 2);
  const rightLength = length - leftLength;
  const halfBytes = Math.ceil((BigInt(radix) ** BigInt(rightLength) - 1n).toString(2).length / 8);
  const resultBytes = 4 * Math.ceil(halfBytes / 4) + 4;

  // In ECB mode no block depends on one before it, so one cipher object serves every call.
  const aes = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  const encryptBlocks = (blocks: Uint8Array): Buffer => aes.update(blocks);

  const message = Buffer.alloc(BLOCK_BYTES + wholeBlocks(tweak.length + 1 + halfBytes));
  message.set([1, 2, 1, 0, radix >> 8, radix & 0xff, ROUNDS, leftLength & 0xff]);
  message.writeUInt32BE(length, 8);
  message.writeUInt32BE(tweak.length, 12);
  message.set(tweak, BLOCK_BYTES);

  const tail = message.subarray(message.length - wholeBlocks(1 + halfBytes));
  let state: Uint8Array = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < message.length - tail.length; at += BLOCK_BYTES) {
    const block = message.subarray(at, at + BLOCK_BYTES);
    xorInto(block, state);
    state = encryptBlocks(block);
  }
  xorInto(tail, state);
  return { radix, length, leftLength, rightLength, halfBytes, resultBytes, tail, encryptBlocks };
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function xorInto(target: Uint8Array, mask: Uint8Array): void {
  for (const [at, byte] of mask.entries()) target[at] = target[at]! ^ byte;
}

/** One half of every message of a slice, as numbers; `Half` is the array that holds them. */
interface Halves<Half> {
  /** Reads `digits` numerals at `offset` of each message. */
  read(numerals: Uint8Array, offset: number, digits: number): Half;
  /** Adds (`sign` 1) or takes away (-1) the round function of `source`, modulo the size of the altered half. */
  mix(altered: Half, source: Half, round: number, sign: 1 | -1): void;
  /** Writes what `read` read. */
  write(half: Half, numerals: Uint8Array, offset: number, digits: number): void;
}

function permuteWith<Half>(rounds: Rounds, halves: Halves<Half>): (numerals: Uint8Array, sign: 1 | -1) => Uint8Array {
  const sliceNumerals = SLICE_MAX_MESSAGES * rounds.length;
  return (numerals, sign) => {
    checkNumerals(numerals, rounds);
    const permuted = new Uint8Array(numerals.length);
    for (let at = 0; at < numerals.length; at += sliceNumerals) {
      const end = at + sliceNumerals;
      permuteSlice(rounds, halves, numerals.subarray(at, end), permuted.subarray(at, end), sign);
    }
    return permuted;
  };
}

function checkNumerals(numerals: Uint8Array, { radix, length }: Rounds): void {
  if (numerals.length % length !== 0)
    throw new RangeError(`${numerals.length} numerals are not a whole number of messages of ${length}`);
  for (let at = 0; at < numerals.length; at += 1)
    if (numerals[at]! >= radix) throw new RangeError(`numeral ${numerals[at]} is not below the radix ${radix}`);
}

/**
 * The Feistel network. Decrypting is the same walk from the other end: the rounds count down, the halves swap their
 * parts, and the round function is taken away. Ten rounds are an even number of swaps: each half ends in its own array.
 */
function permuteSlice<Half>(
  { leftLength, rightLength }: Rounds,
  halves: Halves<Half>,
  numerals: Uint8Array,
  permuted: Uint8Array,
  sign: 1 | -1,
): void {
  const left = halves.read(numerals, 0, leftLength);
  const right = halves.read(numerals, leftLength, rightLength);
  let [altered, source] = sign === 1 ? [left, right] : [right, left];
  for (let step = 0; step < ROUNDS; step += 1) {
    halves.mix(altered, source, sign === 1 ? step : ROUNDS - 1 - step, sign);
    [altered, source] = [source, altered];
  }
  halves.write(left, permuted, 0, leftLength);
  halves.write(right, permuted, leftLength, rightLength);
}

/** How many values the half has that a round alters: even rounds alter the left one. */
function alteredSize({ radix, leftLength, rightLength }: Rounds, round: number): bigint {
  return BigInt(radix) ** BigInt(round % 2 === 0 ? leftLength : rightLength);
}

// ---- Halves of at most 2^48, in JavaScript numbers ----------------------------------------------------------------

function narrowHalves(rounds: Rounds): Halves<Float64Array> {
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
    const y = remainder(results, k * BLOCK_BYTES, rounds.resultBytes, modulus, inverse);
    const mixed = altered[k]! + sign * y;
    altered[k] = mixed >= modulus ? mixed - modulus : mixed < 0 ? mixed + modulus : mixed;
  }
}

/** The last block of P || Q for each message: a half of at most six bytes and the round's number always fit in one. */
function narrowBlocks({ tail, halfBytes }: Rounds, source: Float64Array, round: number): Buffer {
  const head = Buffer.from(tail);
  head[BLOCK_BYTES - 1 - halfBytes] = head[BLOCK_BYTES - 1 - halfBytes]! ^ round;
  const headHigh = head.readUInt32BE(8);
  const headLow = head.readUInt32BE(12);

  const blocks = Buffer.alloc(source.length * BLOCK_BYTES, head);
  const view = viewOf(blocks);
  for (let k = 0, at = 0; k < source.length; k += 1, at += BLOCK_BYTES) {
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

// ---- Halves of any size, in BigInt --------------------------------------------------------------------------------

function wideHalves(rounds: Rounds): Halves<bigint[]> {
  const { length } = rounds;
  const radix = BigInt(rounds.radix);
  return {
    read(numerals, offset, digits) {
      return Array.from({ length: numerals.length / length }, (_, k) => {
        const start = k * length + offset;
        return numerals.subarray(start, start + digits).reduce((value, numeral) => value * radix + BigInt(numeral), 0n);
      });
    },
    mix(altered, source, round, sign) {
      const modulus = alteredSize(rounds, round);
      for (const [k, y] of wideResults(rounds, source, round).entries()) {
        const mixed = (altered[k]! + BigInt(sign) * y) % modulus;
        altered[k] = mixed < 0n ? mixed + modulus : mixed;
      }
    },
    write(half, numerals, offset, digits) {
      for (let [k, value] of half.entries()) {
        const start = k * length + offset;
        for (let at = start + digits - 1; at >= start; at -= 1) {
          numerals[at] = Number(value % radix);
          value /= radix;
        }
      }
    },
  };
}

/** Steps 6.i to 6.iv for each message of a slice: one AES call for each block of the CBC-MAC and of its lengthening. */
function wideResults(rounds: Rounds, source: readonly bigint[], round: number): bigint[] {
  const tails = wideTails(rounds, source, round);
  const mac = chainBlocks(rounds, tails, source.length);

  const streams = [mac];
  for (let j = 1; j * BLOCK_BYTES < rounds.resultBytes; j += 1) {
    const counted = Buffer.from(mac);
    for (let last = BLOCK_BYTES - 1; last < counted.length; last += BLOCK_BYTES) counted[last] = counted[last]! ^ j;
    streams.push(rounds.encryptBlocks(counted));
  }
  return source.map((_, k) => {
    const hex = streams.map((stream) => stream.toString('hex', k * BLOCK_BYTES, (k + 1) * BLOCK_BYTES)).join('');
    return BigInt(`0x${hex.slice(0, rounds.resultBytes * 2)}`);
  });
}

/** The blocks of P || Q that change, one message after another. */
function wideTails({ tail, halfBytes }: Rounds, source: readonly bigint[], round: number): Buffer {
  const tails = Buffer.alloc(source.length * tail.length, tail);
  const number = Buffer.alloc(1 + halfBytes);
  number[0] = round;
  for (const [k, value] of source.entries()) {
    number.write(value.toString(16).padStart(halfBytes * 2, '0'), 1, 'hex');
    xorInto(tails.subarray((k + 1) * tail.length - number.length, (k + 1) * tail.length), number);
  }
  return tails;
}

/** CBC-MAC (algorithm 6) over each message's tail. */
function chainBlocks({ tail, encryptBlocks }: Rounds, tails: Buffer, count: number): Buffer {
  let mac: Buffer = Buffer.alloc(count * BLOCK_BYTES);
  for (let within = 0; within < tail.length; within += BLOCK_BYTES) {
    for (let k = 0; k < count; k += 1) {
      const from = k * tail.length + within;
      xorInto(mac.subarray(k * BLOCK_BYTES, (k + 1) * BLOCK_BYTES), tails.subarray(from, from + BLOCK_BYTES));
    }
    mac = encryptBlocks(mac);
  }
  return mac;
}
