import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { makeLockTokens } from '../../core/coupons/engine/lock-tokens.ts';
import type { DeckKey } from '../../core/keys.ts';

const tokens = makeLockTokens(Buffer.alloc(16, 7));
const lock = { deckKey: 3 as DeckKey, pos: 9, fence: 1, hasPlainToken: false };
const maxInt4 = 2 ** 31 - 1;

describe('the token of a lock', () => {
  test('is the grant’s number and ten digits, at most 20 in all, and grows with each grant', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: maxInt4 - 1 }), fc.nat(), (fence, pos) => {
        const [token, next] = [fence, fence + 1].map((grant) => tokens.tokenOf(1, { ...lock, pos, fence: grant }));
        expect(token).toMatch(new RegExp(`^${fence}\\d{10}$`));
        expect(next!.length).toBeLessThanOrEqual(20);
        expect(BigInt(next!)).toBeGreaterThan(BigInt(token!));
      }),
    );
  });

  test('has other digits for another grant, place, deck, tenant or installation', () => {
    const digits = (token: string) => token.slice(-10);
    const seen = [
      tokens.tokenOf(1, lock),
      tokens.tokenOf(2, lock),
      tokens.tokenOf(1, { ...lock, pos: 10 }),
      tokens.tokenOf(1, { ...lock, deckKey: 4 as DeckKey }),
      tokens.tokenOf(1, { ...lock, fence: 2 }),
      makeLockTokens(Buffer.alloc(16, 8)).tokenOf(1, lock),
    ].map(digits);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('spreads its digits evenly: of 20,000 tokens each first digit has its tenth', () => {
    const counts = new Map<string, number>();
    for (let pos = 0; pos < 20_000; pos += 1) {
      const first = tokens.tokenOf(1, { ...lock, pos }).at(-10)!;
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(250);
  });

  test('is recognised to the letter, and nothing else is', () => {
    const token = tokens.tokenOf(1, lock);
    expect(tokens.isTokenOf(1, lock, token)).toBe(true);
    for (const other of [
      '1',
      '',
      `0${token}`,
      token.slice(0, -1),
      `${token}0`,
      tokens.tokenOf(1, { ...lock, fence: 2 }),
    ]) {
      expect(tokens.isTokenOf(1, lock, other)).toBe(false);
    }
  });

  test('of an earlier version is the grant’s number alone', () => {
    const old = { ...lock, hasPlainToken: true, fence: 12 };
    expect([
      tokens.tokenOf(1, old),
      tokens.isTokenOf(1, old, '12'),
      tokens.isTokenOf(1, { ...lock, fence: 12 }, '12'),
    ]).toEqual(['12', true, false]);
  });
});
