import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { FF1 } from '@noble/ciphers/ff1.js';
import fc from 'fast-check';
import { createFf1 } from '../../core/codes/ff1.ts';
import { allIfLong, isLong } from '../support/long-run.ts';

const MESSAGES_A_SHAPE = isLong ? 20 : 3;
const LENGTH_MAX = isLong ? 128 : 64;
/** The ends, powers of two, where a numeral is a number of bits, and others between. The property takes any radix. */
const RADIXES = allIfLong(
  Array.from({ length: 35 }, (_, at) => at + 2),
  (radix) => [2, 3, 4, 10, 16, 22, 27, 32, 36].includes(radix),
);

function shortestLength(radix: number): number {
  let length = 1;
  while (radix ** length < 1_000_000) length += 1;
  return length;
}

/** The same bytes in every run, without a pattern in them. */
function pseudoRandomBytes(seed: number, bytes: number): Uint8Array {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed & 0xff), Buffer.alloc(16, seed >> 8));
  return stream.update(Buffer.alloc(bytes));
}

/** The lowest and the highest message, and some between. */
function messagesOf(radix: number, length: number): Uint8Array {
  const bytes = pseudoRandomBytes(radix * 256 + length, length * MESSAGES_A_SHAPE);
  const messages = Uint8Array.from(bytes, (byte) => byte % radix);
  messages.fill(0, 0, length);
  messages.fill(radix - 1, length, 2 * length);
  return messages;
}

function encryptWithNoble(
  key: Uint8Array,
  tweak: Uint8Array,
  radix: number,
  length: number,
  messages: Uint8Array,
): Uint8Array {
  const noble = FF1(radix, key, tweak);
  const encrypted = new Uint8Array(messages.length);
  for (let at = 0; at < messages.length; at += length)
    encrypted.set(noble.encrypt(Array.from(messages.subarray(at, at + length))), at);
  return encrypted;
}

describe('FF1 equals an independent implementation for every radix and length', () => {
  test.each(RADIXES)('radix %i, from the shortest safe length on', (radix) => {
    const key = pseudoRandomBytes(radix, 32);
    const none = new Uint8Array(0);
    for (let length = shortestLength(radix); length <= LENGTH_MAX; length += 1) {
      const ff1 = createFf1(key, radix, length);
      const messages = messagesOf(radix, length);
      const encrypted = ff1.encrypt(messages);
      // Compared as text: one comparison a shape, and a failure still names the numerals.
      const expected = encryptWithNoble(key, none, radix, length, messages);
      expect(`${length}: ${encrypted.join()}`).toBe(`${length}: ${expected.join()}`);
      expect(`${length}: ${ff1.decrypt(encrypted).join()}`).toBe(`${length}: ${messages.join()}`);
    }
  });

  // The half's sizes just below 2^32, 2^44 and 2^48, where the remainder has the fewest bits to spare.
  test.each([
    [2, 64],
    [3, 40],
    [2, 88],
    [19, 20],
    [2, 96],
    [3, 60],
    [27, 20],
    [36, 18],
  ])('many messages where the arithmetic is tightest (radix %i, %i numerals)', (radix, length) => {
    const key = pseudoRandomBytes(7, 32);
    const count = isLong ? 10_000 : 200;
    const messages = pseudoRandomBytes(radix * 256 + length, length * count).map((byte) => byte % radix);
    const encrypted = createFf1(key, radix, length).encrypt(messages);
    const expected = encryptWithNoble(key, new Uint8Array(0), radix, length, messages);
    expect(Buffer.compare(encrypted, expected)).toBe(0);
  });
});

const ff1Case = fc
  .record({
    key: fc.constantFrom(16, 24, 32).chain((bytes) => fc.uint8Array({ minLength: bytes, maxLength: bytes })),
    tweak: fc.uint8Array({ maxLength: 40 }),
    radix: fc.integer({ min: 2, max: 36 }),
    more: fc.integer({ min: 0, max: 44 }),
    count: fc.integer({ min: 0, max: 5 }),
  })
  .chain(({ key, tweak, radix, more, count }) => {
    const length = shortestLength(radix) + more;
    return fc
      .uint8Array({ min: 0, max: radix - 1, minLength: length * count, maxLength: length * count })
      .map((messages) => ({ key, tweak, radix, length, messages }));
  });

describe('FF1 for any key, tweak, radix, length and batch', () => {
  test('encrypts as an independent implementation does, and decrypting gives the messages back', () => {
    fc.assert(
      fc.property(ff1Case, ({ key, tweak, radix, length, messages }) => {
        const ff1 = createFf1(key, radix, length, tweak);
        const encrypted = ff1.encrypt(messages);
        expect(encrypted).toEqual(encryptWithNoble(key, tweak, radix, length, messages));
        expect(ff1.decrypt(encrypted)).toEqual(messages);
        expect(ff1.encrypt(ff1.decrypt(messages))).toEqual(messages);
      }),
      { numRuns: isLong ? 5_000 : 300 },
    );
  });
});
