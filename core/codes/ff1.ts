import { narrowHalfMax, narrowHalves } from './ff1-narrow-halves.ts';
import { type Halves, prepareRounds, type Rounds, roundCount } from './ff1-rounds.ts';
import { wideHalves } from './ff1-wide-halves.ts';

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

const RADIX_MIN = 2;
const RADIX_MAX = 36;
/** Codes have at most 64 symbols; the room above them is for checking the algorithm, not a need. */
const LENGTH_MAX_NUMERALS = 1024;
/** The floor of SP 800-38G revision 1: smaller domains have practical attacks. */
const DOMAIN_MIN = 1_000_000n;
/** Bounds the working memory (16 bytes a message and round) and keeps it inside a core's cache. */
const SLICE_MAX_MESSAGES = 1024;
const NO_TWEAK = new Uint8Array(0);

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
    BigInt(radix) ** BigInt(cipher.rightLength) <= narrowHalfMax
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
  for (let step = 0; step < roundCount; step += 1) {
    halves.mix(altered, source, sign === 1 ? step : roundCount - 1 - step, sign);
    [altered, source] = [source, altered];
  }
  halves.write(left, permuted, 0, leftLength);
  halves.write(right, permuted, leftLength, rightLength);
}
