import { describe, expect, test } from '@jest/globals';
import { parsePrices, type Rate, readPrices } from '../../../operations/cost/read-prices.ts';

const rate: Rate = {
  key: 'nat.hour',
  usd: '0.045',
  unit: 'hour',
  service: 'AmazonEC2',
  usageType: 'NatGateway-Hours',
  publicationDate: '2026-07-20',
  source: 'https://pricing.us-east-1.amazonaws.com',
  status: 'verified',
};
const fileOf = (...rates: unknown[]) => JSON.stringify({ region: 'us-east-1', retrieved: '2026-11-28', rates });

describe('the price file', () => {
  test('of the project says of each rate where it is from, or that nobody can say', () => {
    const { rates, retrieved } = readPrices('us-east-1');
    expect(rates.size).toBeGreaterThan(60);
    expect(retrieved).toMatch(/^\d{4}-\d\d-\d\d$/);
    for (const { key, source, status } of rates.values()) {
      expect([key, source === '' ? 'not-sourced' : 'sourced']).toEqual([
        key,
        status === 'not-sourced' ? 'not-sourced' : 'sourced',
      ]);
    }
  });

  test('takes off shares below one as discounts, and none as a price', () => {
    for (const { key, usd } of readPrices('us-east-1').rates.values()) {
      if (key.startsWith('discount.')) expect([key, Number(usd) > 0 && Number(usd) < 1]).toEqual([key, true]);
    }
  });

  test.each([
    ['no JSON', 'it is not JSON'],
    ['{"region":"eu-west-1"}', 'it is for the region "eu-west-1", and us-east-1 is asked for'],
    ['{"region":"us-east-1","retrieved":"yesterday"}', '"retrieved" must be a day such as 2026-11-28'],
    ['{"region":"us-east-1","retrieved":"2026-11-28","rates":[]}', '"rates" must be a list'],
    ['null', 'it is for the region undefined'],
    [fileOf(null), 'rate 1: "key" must be text'],
    [fileOf({ ...rate, usd: 0.045 }), 'nat.hour: "usd" must be a decimal in quotes'],
    [fileOf({ ...rate, usd: '-1' }), 'nat.hour: "usd" must be a decimal in quotes'],
    [fileOf({ ...rate, unit: undefined }), 'nat.hour: "unit" must be text'],
    [fileOf({ ...rate, status: 'sure' }), '"status" must be one of verified, second-hand, derived, not-sourced'],
    [fileOf({ ...rate, publicationDate: '2026-13-01' }), '"publicationDate" must be a day'],
    [fileOf({ ...rate, publicationDate: null }), 'a verified rate needs its publicationDate'],
    [fileOf({ ...rate, source: '' }), '"source" is empty, and the status is verified'],
    [fileOf(rate, rate), 'nat.hour is there twice'],
  ])('that can’t be used is refused with the entry and the mistake: %s', (text, reason) => {
    const read = () => parsePrices(text, 'us-east-1', 'mine.json');
    expect(read).toThrow('the price file mine.json: ');
    expect(read).toThrow(reason);
  });

  test('of a region that has none, or that is not there, is asked for by its name', () => {
    expect(() => readPrices('eu-west-1')).toThrow(
      /region eu-west-1: there are no prices for it; copy .*prices-eu-west-1/,
    );
    expect(() => readPrices('us-east-1', '/nowhere.json')).toThrow('--prices /nowhere.json: there is no such file');
  });

  test('without a rate that is needed says which', () => {
    expect(() => parsePrices(fileOf(rate), 'us-east-1', 'mine.json').rate('alb.hour')).toThrow(
      'has no rate "alb.hour"',
    );
  });
});
