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
   * its place is 2^53 or beyond, where nothing is ever made. A place beyond what was generated is the caller's to
   * refuse.
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
  const ff1 = createFf1(key, pattern.alphabet.length, pattern.placeholders.length);
  const largest = Math.min(Number(pattern.combinations - 1n), limits.sequenceMaxIndex);
  return {
    codesAt(sequenceNumbers) {
      const numerals = new Uint8Array(sequenceNumbers.length * ff1.length);
      for (let k = 0; k < sequenceNumbers.length; k += 1) {
        const value = sequenceNumbers[k]!;
        if (!Number.isInteger(value) || value < 0 || value > largest)
          throw new RangeError(`the pattern ${pattern.template} has codes 0 to ${largest}, and none at ${value}`);
        writeNumerals(value, ff1.radix, numerals, k * ff1.length, ff1.length);
      }
      return formatCodes(pattern, ff1.encrypt(numerals));
    },
    sequenceNumbersOf(codes) {
      const matches = codes.map((code) => matchPattern(pattern, code));
      const numbers = ff1.decrypt(Buffer.concat(matches.flatMap((match) => match?.numerals ?? [])));
      let start = -ff1.length;
      return matches.map((match) => {
        if (match) start += ff1.length;
        return match ? readNumber(numbers, ff1.radix, start, ff1.length) : NOT_OURS;
      });
    },
  };
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
