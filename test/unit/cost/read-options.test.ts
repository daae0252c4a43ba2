import { describe, expect, test } from '@jest/globals';
import { asPackaged } from '../../../operations/cost/estimate-month.ts';
import { readOptions } from '../../../operations/cost/read-options.ts';

describe('the command line of the cost report', () => {
  test('asks for prod and the strategy’s scenarios unless it says otherwise', () => {
    expect(readOptions([])).toMatchObject({
      stage: 'prod',
      requestsPerDay: null,
      shared: { requestsPerConnection: 10, monthsKept: 1 },
      choices: asPackaged,
    });
  });

  test('has a load, parameters and ways to pay less', () => {
    const args = ['--stage', 'dev', '--requests-per-day', '10000000', '--param', 'databaseClass=db.r6g.large'];
    expect(readOptions([...args, '--reserved', '--valkey', '--black-friday'])).toMatchObject({
      stage: 'dev',
      requestsPerDay: 10_000_000,
      hasBlackFriday: true,
      parameters: { databaseClass: 'db.r6g.large' },
      choices: { ...asPackaged, reserved: true, engine: 'valkey' },
    });
  });

  test.each([
    [['--requests-per-day', '10M'], '--requests-per-day 10M: it must be a whole number from 0 to 10000000000'],
    [['--requests-per-day=-1'], '--requests-per-day -1: it must be a whole number'],
    [['--requests-per-day', '1e6'], '--requests-per-day 1e6: it must be a whole number'],
    [['--requests-per-day', '10000000001'], 'it must be a whole number from 0 to 10000000000'],
    [['--requests-per-day'], '--help lists what there is'],
    [['--requests-per-connection', '0'], '--requests-per-connection 0: it must be a whole number from 1'],
    [['--months-kept', '1.5'], '--months-kept 1.5: it must be a whole number from 1'],
    [['--region', 'Virginia'], '--region Virginia: it must be a region such as us-east-1'],
    [['--param', 'databaseClass'], '--param databaseClass: it must be NAME=VALUE'],
    [['--graviton2'], 'npm run cost -- --help lists what there is'],
    [['prod'], 'npm run cost -- --help lists what there is'],
  ])('is refused in one line that says what to give: %j', (args, reason) => {
    expect(() => readOptions(args)).toThrow(reason);
    try {
      readOptions(args);
    } catch (error) {
      expect((error as Error).name).toBe('BadInput');
      expect((error as Error).message).not.toContain('\n');
    }
  });
});
