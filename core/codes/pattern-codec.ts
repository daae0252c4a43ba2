import { limits } from '../limits.ts';
import { createFf1 } from './ff1.ts';
import { formatCodes, matchPattern, type Pattern } from './pattern-rules.ts';

/**
 * A pattern with its secret key: code number i of the sequence, and the way back. Different numbers have different
 * codes, and without the key neither the next code nor a code's number can be told.
 */
export interface PatternCodec {
  /**
   * The codes at these places of the sequence, in the same order. A batch of 128 costs about a microsecond a code.
   *
   * @param sequenceNumbers whole numbers from 0, below 2^53 and below the pattern's number of combinations.
   * @throws RangeError when one is outside these bounds.
   */
  codesAt(sequenceNumbers: readonly number[]): string[];
  /**
   * The places of these codes in the sequence, in the same order, or -1 where a text cannot be a code of the pattern or
   * its place is 2^53 or beyond, where nothing is ever made. A place beyond what was generated is the caller's to refuse.
   *
   * @param codes what `normaliseCode` gave; folding is done here.
   */
  sequenceNumbersOf(codes: readonly string[]): number[];
}

const NOT_OURS = -1;

/**
 * Ties a pattern to its key, with FF1 over the numerals of the `#` positions.
 *
 * @param key 32 bytes, random, of this pattern alone: equal keys would show in equal patterns.
 * @throws RangeError when the key is not an AES key.
 */
export function createPatternCodec(pattern: Pattern, key: Uint8Array): PatternCodec {
  const radix = pattern.alphabet.length;
  const length = pattern.placeholders.length;
  const ff1 = createFf1(key, radix, length);
  return {
    codesAt(sequenceNumbers) {
      const numerals = new Uint8Array(sequenceNumbers.length * length);
      for (const [k, value] of sequenceNumbers.entries()) {
        checkSequenceNumber(pattern, value);
        writeNumerals(value, radix, numerals, k * length, length);
      }
      return formatCodes(pattern, ff1.encrypt(numerals));
    },
    sequenceNumbersOf(codes) {
      const matches = codes.map((code) => matchPattern(pattern, code));
      const numerals = new Uint8Array(matches.length * length);
      for (const [k, match] of matches.entries()) if (match) numerals.set(match.numerals, k * length);
      const numbers = ff1.decrypt(numerals);
      return matches.map((match, k) => (match ? readNumber(numbers, radix, k * length, length) : NOT_OURS));
    },
  };
}

function checkSequenceNumber(pattern: Pattern, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > limits.sequenceMaxIndex || value >= pattern.combinations)
    throw new RangeError(`there is no code number ${value} in the pattern ${pattern.template}`);
}

/** Writes a number as numerals, the most significant first, over zeros. */
function writeNumerals(value: number, radix: number, numerals: Uint8Array, start: number, length: number): void {
  for (let at = start + length - 1, rest = value; rest > 0; at -= 1) {
    // Exact below 2^53: the quotient's rounding error is less than 1/radix, its least distance from the next number.
    const quotient = Math.floor(rest / radix);
    numerals[at] = rest - quotient * radix;
    rest = quotient;
  }
}

/** The number that the numerals spell, or -1 from 2^53 on: rounding never takes a larger sum below that bound. */
function readNumber(numerals: Uint8Array, radix: number, start: number, length: number): number {
  let value = 0;
  for (let at = start; at < start + length; at += 1) {
    value = value * radix + numerals[at]!;
    if (value > limits.sequenceMaxIndex) return NOT_OURS;
  }
  return value;
}
