import { describe, expect, test } from '@jest/globals';
import { expiryOf } from '../../core/coupons/rules/coupon-state.ts';
import { endOfValidity } from '../../core/coupons/rules/validity.ts';

const endOf = (assignedAt: string, days: number, zone: string) =>
  endOfValidity(new Date(assignedAt), days, zone).toISOString();

describe('a coupon is valid to the end of the n-th day after its assignment, on the clocks of its book', () => {
  test.each([
    ['a day in UTC', '2026-11-27T08:00:00.000Z', 1, 'UTC', '2026-11-29T00:00:00.000Z'],
    ['the first moment of a day', '2026-11-27T00:00:00.000Z', 1, 'UTC', '2026-11-29T00:00:00.000Z'],
    ['the last moment of a day', '2026-11-27T23:59:59.999Z', 1, 'UTC', '2026-11-29T00:00:00.000Z'],
    ['a zone that is a day ahead', '2026-11-27T12:00:00.000Z', 1, 'Pacific/Kiritimati', '2026-11-29T10:00:00.000Z'],
    ['a zone behind', '2026-11-27T02:00:00.000Z', 1, 'America/Argentina/Buenos_Aires', '2026-11-28T03:00:00.000Z'],
    ['into summer time', '2026-03-28T12:00:00.000Z', 1, 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
    ['out of summer time', '2026-10-24T12:00:00.000Z', 1, 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
    ['a midnight that is skipped', '2026-09-04T12:00:00.000Z', 1, 'America/Santiago', '2026-09-06T04:00:00.000Z'],
    ['over the 29th of February', '2028-02-28T12:00:00.000Z', 1, 'UTC', '2028-03-01T00:00:00.000Z'],
    ['thirty days over a New Year', '2026-12-31T23:30:00.000Z', 30, 'UTC', '2027-01-31T00:00:00.000Z'],
    ['the longest time', '2026-01-01T00:00:00.000Z', 3_650, 'UTC', '2035-12-31T00:00:00.000Z'],
  ])('%s', (_name, assignedAt, days, zone, end) => {
    expect(endOf(assignedAt, days, zone)).toBe(end);
  });

  test('and with its book at the latest', () => {
    const [early, late] = [new Date(1), new Date(2)];
    const cases = [
      [null, null, null],
      [early, null, early],
      [null, early, early],
      [early, late, early],
      [late, early, early],
    ] as const;
    for (const [validUntil, endsAt, expiry] of cases) expect(expiryOf({ validUntil }, endsAt)).toBe(expiry);
  });
});
