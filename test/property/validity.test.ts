import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endOfValidity } from '../../core/coupons/rules/validity.ts';
import { systemRandom } from '../../core/index.ts';
import { endOfDays } from '../support/model/end-of-days.ts';

const isLong = process.env.QURABLE_TEST_LONG === '1';
const seed = Number(process.env.QURABLE_TEST_SEED ?? systemRandom.below(2 ** 31));

/** With clocks that are changed at midnight, by half an hour, twice a year, in Ramadan, once for good, and never. */
const zones = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'America/Argentina/Buenos_Aires', 'America/Santiago'],
  ...['America/Asuncion', 'America/Havana', 'America/Sao_Paulo', 'Africa/Cairo', 'Africa/Casablanca', 'Asia/Beirut'],
  ...['Asia/Kathmandu', 'Asia/Pyongyang', 'Australia/Lord_Howe', 'Pacific/Apia', 'Pacific/Kiritimati', 'Pacific/Niue'],
];
const changeOfClocks = fc.constantFrom(
  ...['2026-03-29T01:00:00.000Z', '2026-10-25T01:00:00.000Z', '2026-09-06T04:00:00.000Z', '2026-04-05T03:00:00.000Z'],
  ...['2026-03-08T07:00:00.000Z', '2026-11-01T06:00:00.000Z', '2018-11-04T03:00:00.000Z', '2026-04-04T15:00:00.000Z'],
);
const anyMoment = fc.integer({
  min: Date.parse('2015-01-01T00:00:00.000Z'),
  max: Date.parse('2036-12-31T00:00:00.000Z'),
});
/** Often within three days of a change of clocks. */
const moment = fc.oneof(
  anyMoment,
  fc
    .tuple(changeOfClocks, fc.integer({ min: -3 * 86_400_000, max: 3 * 86_400_000 }))
    .map(([change, off]) => Date.parse(change) + off),
);
const days = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3_650 }));

test(`a coupon's own time ends with the n-th day on the clocks of its book's zone, by calendar and clock (QURABLE_TEST_SEED=${seed})`, () => {
  fc.assert(
    fc.property(moment, days, fc.constantFrom(...zones), (at, count, zone) => {
      const end = endOfValidity(new Date(at), count, zone).toISOString();
      expect(end).toBe(endOfDays(new Date(at).toISOString(), count, zone));
    }),
    { seed, numRuns: isLong ? 100_000 : 3_000 },
  );
});
