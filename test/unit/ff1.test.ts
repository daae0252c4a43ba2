import { describe, expect, test } from '@jest/globals';
import { createFf1 } from '../../core/codes/ff1.ts';

const KEY_128 = '2b7e151628aed2a6abf7158809cf4f3c';
const KEY_192 = `${KEY_128}ef4359d8d580aa4f`;
const KEY_256 = `${KEY_192}7f036d6f04fc6a94`;
const TWEAK_10 = '39383736353433323130';
const TWEAK_36 = '3737373770717273373737';

/** FF1samples.pdf of NIST's "Examples with Intermediate Values" for SP 800-38G, samples 1 to 9. */
const NIST_SAMPLES = [
  { sample: 1, key: KEY_128, radix: 10, tweak: '', plain: '0123456789', cipher: '2433477484' },
  { sample: 2, key: KEY_128, radix: 10, tweak: TWEAK_10, plain: '0123456789', cipher: '6124200773' },
  { sample: 3, key: KEY_128, radix: 36, tweak: TWEAK_36, plain: '0123456789abcdefghi', cipher: 'a9tv40mll9kdu509eum' },
  { sample: 4, key: KEY_192, radix: 10, tweak: '', plain: '0123456789', cipher: '2830668132' },
  { sample: 5, key: KEY_192, radix: 10, tweak: TWEAK_10, plain: '0123456789', cipher: '2496655549' },
  { sample: 6, key: KEY_192, radix: 36, tweak: TWEAK_36, plain: '0123456789abcdefghi', cipher: 'xbj3kv35jrawxv32ysr' },
  { sample: 7, key: KEY_256, radix: 10, tweak: '', plain: '0123456789', cipher: '6657667009' },
  { sample: 8, key: KEY_256, radix: 10, tweak: TWEAK_10, plain: '0123456789', cipher: '1001623463' },
  { sample: 9, key: KEY_256, radix: 36, tweak: TWEAK_36, plain: '0123456789abcdefghi', cipher: 'xs8a0azh2avyalyzuwd' },
];

const KEY = Buffer.from(KEY_256, 'hex');

function numeralsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (symbol) => Number.parseInt(symbol, 36));
}

function textOf(numerals: Uint8Array): string {
  return Array.from(numerals, (numeral) => numeral.toString(36)).join('');
}

/** Messages that differ from each other and use every numeral. */
function someMessages(radix: number, length: number, count: number): Uint8Array {
  return Uint8Array.from({ length: length * count }, (_, at) => (at * at * 31 + at * 7) % radix);
}

describe("FF1 against NIST's published samples", () => {
  test.each(NIST_SAMPLES)('sample $sample encrypts to the published text', ({ key, radix, tweak, plain, cipher }) => {
    const ff1 = createFf1(Buffer.from(key, 'hex'), radix, plain.length, Buffer.from(tweak, 'hex'));
    expect(textOf(ff1.encrypt(numeralsOf(plain)))).toBe(cipher);
  });

  test.each(NIST_SAMPLES)('sample $sample decrypts to the original text', ({ key, radix, tweak, plain, cipher }) => {
    const ff1 = createFf1(Buffer.from(key, 'hex'), radix, plain.length, Buffer.from(tweak, 'hex'));
    expect(textOf(ff1.decrypt(numeralsOf(cipher)))).toBe(plain);
  });
});

describe('FF1 in batches', () => {
  // One shape of each way to compute: two-byte, half-byte and byte-wise steps of the remainder, and BigInt.
  test.each([
    [32, 8],
    [36, 16],
    [2, 96],
    [36, 20],
  ])('a message of a batch becomes what it becomes alone (radix %i, %i numerals)', (radix, length) => {
    const ff1 = createFf1(KEY, radix, length);
    const count = 1030; // Past the size of a working slice, so the seam is inside.
    const messages = someMessages(radix, length, count);
    const encrypted = ff1.encrypt(messages);
    for (const k of [0, 1, 511, 1023, 1024, 1029]) {
      const one = messages.subarray(k * length, (k + 1) * length);
      expect(encrypted.subarray(k * length, (k + 1) * length)).toEqual(ff1.encrypt(one));
    }
    // Jest compares so many bytes one by one.
    expect(Buffer.compare(ff1.decrypt(encrypted), messages)).toBe(0);
  });

  test('an empty batch is an empty batch', () => {
    expect(createFf1(KEY, 10, 6).encrypt(new Uint8Array(0))).toHaveLength(0);
  });

  test('the argument is left as it was', () => {
    const messages = someMessages(32, 8, 3);
    const before = Uint8Array.from(messages);
    createFf1(KEY, 32, 8).encrypt(messages);
    expect(messages).toEqual(before);
  });

  test('encrypting permutes a whole domain: each of the million decimal messages comes out once', () => {
    const count = 1_000_000;
    const messages = new Uint8Array(6 * count);
    for (let k = 0; k < count; k += 1) {
      for (let at = 5, rest = k; at >= 0; at -= 1, rest = Math.floor(rest / 10)) messages[6 * k + at] = rest % 10;
    }
    const encrypted = createFf1(KEY, 10, 6).encrypt(messages);
    const seen = new Uint8Array(count);
    for (let k = 0; k < count; k += 1) {
      let number = 0;
      for (let at = 0; at < 6; at += 1) number = number * 10 + encrypted[6 * k + at]!;
      seen[number] = 1;
    }
    expect(seen.indexOf(0)).toBe(-1);
  });
});

describe('FF1 refuses', () => {
  test.each([
    ['a key of no AES size', 20, 10, 6],
    ['a radix of 1', 32, 1, 64],
    ['a radix of 37', 32, 37, 8],
    ['a radix that is no whole number', 32, 10.5, 8],
    ['fewer than a million decimal numbers', 32, 10, 5],
    ['fewer than a million binary numbers', 32, 2, 19],
    ['more numerals than it was made for', 32, 10, 1025],
    ['a length that is no whole number', 32, 10, 6.5],
  ])('%s', (_, keyBytes, radix, length) => {
    expect(() => createFf1(Buffer.alloc(keyBytes), radix, length)).toThrow(RangeError);
  });

  test('half a message', () => {
    expect(() => createFf1(KEY, 10, 6).encrypt(new Uint8Array(9))).toThrow(/whole number of messages/);
  });

  test('a numeral that is not below the radix', () => {
    expect(() => createFf1(KEY, 10, 6).decrypt(Uint8Array.of(1, 2, 3, 4, 5, 10))).toThrow(/not below the radix/);
  });
});
