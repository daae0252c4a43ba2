import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openShortHmac } from '../../core/short-hmac.ts';

test('is HMAC-SHA-256 of every short text under every key, one after another', () => {
  const keys = fc.uint8Array({ maxLength: 64 });
  const texts = fc.array(
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((unit) => String.fromCharCode(unit)), maxLength: 64 }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(keys, texts, (key, several) => {
      const hmac = openShortHmac(key);
      for (const text of several) {
        expect(hmac(text)).toEqual(createHmac('sha256', key).update(text, 'latin1').digest());
      }
    }),
  );
});

test('refuses what it would cut short', () => {
  expect(() => openShortHmac(new Uint8Array(65))).toThrow(RangeError);
  expect(() => openShortHmac(new Uint8Array(32))('x'.repeat(65))).toThrow(RangeError);
});
