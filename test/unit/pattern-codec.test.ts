import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPatternCodec } from '../../core/codes/pattern-codec.ts';
import { type Pattern, parsePattern } from '../../core/codes/pattern-rules.ts';
import {
  codeSecretCheckValue,
  isCodeSecret,
  makePatternKey,
  unwrapPatternKey,
  wrapPatternKey,
} from '../../core/patterns/pattern-key.ts';
import { systemRandom } from '../../core/random.ts';
import { isLong } from '../support/long-run.ts';

const KEY = Buffer.alloc(32, 7);

function pattern(template: string, alphabet?: string): Pattern {
  const result = parsePattern(template, alphabet);
  if (!result.ok) throw new Error(result.message);
  return result.pattern;
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => first + k);
}

describe('a codec of a pattern', () => {
  test.each([
    ['BF26-####-####', 'crockford32', { 0: 'BF26-48AK-AJBS', 1: 'BF26-51W7-K96V', 999999999999: 'BF26-A0KJ-EQ99' }],
    ['######', 'digits', { 0: '861757', 1: '989766', 999999: '480341' }],
    ['####################', 'ABCXYZ0123', { 0: '02Z30333BC1CXAZZXBZX', 1: 'C10Z2Y2X3B212Y2C0Z10' }],
  ])('makes the same codes from the same key in every version of the program (%s)', (template, alphabet, codes) => {
    const codec = createPatternCodec(pattern(template, alphabet), KEY);
    expect(codec.codesAt(Object.keys(codes).map(Number))).toEqual(Object.values(codes));
  });

  // That a whole domain is permuted shows ff1.test.ts.
  const many = isLong ? 1_000_000 : 100_000;
  test(`of ${many} codes, no two are equal`, () => {
    const codec = createPatternCodec(pattern('BF26-####-####'), KEY);
    const seen = new Set<string>();
    for (let first = 0; first < many; first += 10_000)
      for (const code of codec.codesAt(range(first, 10_000))) seen.add(code);
    expect(seen.size).toBe(many);
  });

  test.each([
    ['BF26-####-####', 'crockford32'],
    ['PROMO-############', 'digits'],
    ['################', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'],
    ['#'.repeat(64), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'],
    ['#'.repeat(64), '01'],
    ['A-####################', 'XY'],
  ])('gives back the numbers of its codes, in any order (%s, %s)', (template, alphabet) => {
    const any = pattern(template, alphabet);
    const codec = createPatternCodec(any, KEY);
    const largest = any.combinations > 2n ** 53n ? Number.MAX_SAFE_INTEGER : Number(any.combinations - 1n);
    fc.assert(
      fc.property(
        fc.array(
          fc.maxSafeNat().map((value) => value % (largest + 1)),
          { maxLength: 20 },
        ),
        (middle) => {
          const numbers = [largest, ...middle, 0];
          expect(codec.sequenceNumbersOf(codec.codesAt(numbers))).toEqual(numbers);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('reads folded codes, and gives -1 for texts of no code, each in its place', () => {
    const codec = createPatternCodec(pattern('BF26-####-####'), KEY);
    const zeroes = codec.sequenceNumbersOf(['BF26-0000-0001'])[0]!;
    const [first, last] = codec.codesAt([5, 6]) as [string, string];
    expect(codec.sequenceNumbersOf(['', first, 'BF26-OOOO-OOOL', 'BF26-UUUU-UUUU', last])).toEqual([
      -1,
      5,
      zeroes,
      -1,
      6,
    ]);
    expect(codec.sequenceNumbersOf(['BF27-0000-0000'])).toEqual([-1]);
    expect(codec.sequenceNumbersOf([])).toEqual([]);
    expect(codec.codesAt([])).toEqual([]);
  });

  test('gives -1 for a code whose number is 2^53 or beyond', () => {
    const codec = createPatternCodec(pattern('#'.repeat(40), 'ABCDEFGHJK'), KEY);
    // Of 10^40 codes only 2^53 have a number below the bound: a made-up one is not among them.
    expect(codec.sequenceNumbersOf(['A'.repeat(40), 'ABCDEFGHJK'.repeat(4)])).toEqual([-1, -1]);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1_000_000])(
    'has no code number %d of a million',
    (value) => {
      expect(() => createPatternCodec(pattern('######', 'digits'), KEY).codesAt([0, value])).toThrow(RangeError);
    },
  );

  test('has no code number 2^53, however many combinations there are', () => {
    const codec = createPatternCodec(pattern('#'.repeat(20)), KEY);
    expect(codec.codesAt([2 ** 53 - 1])).toHaveLength(1);
    expect(() => codec.codesAt([2 ** 53])).toThrow(RangeError);
  });

  test('with another key makes other codes', () => {
    const numbers = range(0, 100);
    const ours = new Set(createPatternCodec(pattern('########'), KEY).codesAt(numbers));
    const theirs = createPatternCodec(pattern('########'), Buffer.alloc(32, 8)).codesAt(numbers);
    expect(theirs.filter((code) => ours.has(code))).toEqual([]);
  });

  test('refuses a key of no AES size', () => {
    expect(() => createPatternCodec(pattern('########'), Buffer.alloc(31))).toThrow(RangeError);
  });
});

describe("a wrapped pattern's key", () => {
  const SECRET = 'a secret of at least 32 characters';
  const key = makePatternKey(systemRandom);
  const wrapped = wrapPatternKey(SECRET, 1, key, systemRandom);

  test('opens with its secret and version', () => {
    expect(key).toHaveLength(32);
    expect(wrapped).toHaveLength(60);
    expect(unwrapPatternKey(SECRET, 1, wrapped)).toEqual({ ok: true, key });
  });

  test('does not open with another secret, or as another version', () => {
    expect(unwrapPatternKey(`${SECRET}!`, 1, wrapped)).toMatchObject({ ok: false, problem: 'wrong-secret-or-damaged' });
    expect(unwrapPatternKey(SECRET, 2, wrapped)).toMatchObject({ ok: false, problem: 'wrong-secret-or-damaged' });
  });

  test('does not open when any one bit of it is changed, or bytes are missing or more', () => {
    for (let bit = 0; bit < wrapped.length * 8; bit += 1) {
      const damaged = Buffer.from(wrapped);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(unwrapPatternKey(SECRET, 1, damaged).ok).toBe(false);
    }
    expect(unwrapPatternKey(SECRET, 1, wrapped.subarray(0, 59)).ok).toBe(false);
    expect(unwrapPatternKey(SECRET, 1, Buffer.concat([wrapped, Buffer.alloc(1)])).ok).toBe(false);
    expect(unwrapPatternKey(SECRET, 1, new Uint8Array(0)).ok).toBe(false);
  });

  test('differs each time, as its nonce does', () => {
    expect(wrapPatternKey(SECRET, 1, key, systemRandom).equals(wrapped)).toBe(false);
  });

  test('that was stored by an earlier version of the program still opens', () => {
    const stored = 'CQkJCQkJCQkJCQkJfHwabh03gTbNmPeeVqFKZ5pYQgoZSAka8jfqKgCtmaS+HrV5y882wnQkKdx4AHHl';
    expect(unwrapPatternKey(SECRET, 3, Buffer.from(stored, 'base64'))).toEqual({ ok: true, key: KEY });
  });

  test.each([0, -1, 1.5])('has no version %d', (version) => {
    expect(() => wrapPatternKey(SECRET, version, key, systemRandom)).toThrow(RangeError);
    expect(() => unwrapPatternKey(SECRET, version, wrapped)).toThrow(RangeError);
  });

  test('has 32 bytes inside', () => {
    expect(() => wrapPatternKey(SECRET, 1, Buffer.alloc(16), systemRandom)).toThrow(RangeError);
  });
});

describe('the check value of the code secret', () => {
  test('tells one secret from another', () => {
    const stored = codeSecretCheckValue('a secret of at least 32 characters');
    expect(stored).toHaveLength(16);
    expect(isCodeSecret('a secret of at least 32 characters', stored)).toBe(true);
    expect(isCodeSecret('A secret of at least 32 characters', stored)).toBe(false);
    expect(isCodeSecret('a secret of at least 32 characters', stored.subarray(0, 15))).toBe(false);
    expect(isCodeSecret('a secret of at least 32 characters', new Uint8Array(0))).toBe(false);
  });

  test('is the same in every version of the program', () => {
    const stored = Buffer.from('e93e1ed47380e5cfceb661dda488af43', 'hex');
    expect(isCodeSecret('a secret of at least 32 characters', stored)).toBe(true);
  });
});
