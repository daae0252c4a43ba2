import { describe, expect, test } from '@jest/globals';
import { filesForSecondTry } from '../second-try.ts';

const green = { name: '/p/test/unit/paging.test.ts', status: 'passed', message: '' };
const red = (path: string, message = 'expected 200, received 503') => ({
  name: `/p/${path}`,
  status: 'failed',
  message,
});

describe('a second try', () => {
  test('is for the few files that were red, by their paths', () => {
    const files = [green, red('test/http/report.test.ts'), red('test/console/pages.test.ts')];
    expect(filesForSecondTry(files, '/p')).toEqual(['test/http/report.test.ts', 'test/console/pages.test.ts']);
    expect(filesForSecondTry([green], '/p')).toEqual([]);
  });

  test('is for none where more than three were red', () => {
    const files = ['a', 'b', 'c', 'd'].map((name) => red(`test/http/${name}.test.ts`));
    expect(filesForSecondTry(files.slice(1), '/p')).toHaveLength(3);
    expect(filesForSecondTry(files, '/p')).toEqual([]);
  });

  test.each([
    'test/property/coupon-sequences.test.ts',
    'test/integration/races.test.ts',
    'test/integration/public-code-race.test.ts',
    'test/integration/job-kills.test.ts',
    'test/integration/commit-fate.test.ts',
    'test/integration/redis-faults.test.ts',
  ])('is for none where %s was red: what it finds may be rare', (path) => {
    expect(filesForSecondTry([red(path), red('test/http/report.test.ts')], '/p')).toEqual([]);
  });

  test('is for none where an invariant was broken, whatever colours the message has', () => {
    const message = '+   Object {\n+     \u001b[31m"name": "one-holder",\n+     "rows"\u001b[39m: Array [\n';
    expect(filesForSecondTry([red('test/http/delete-book.test.ts', message)], '/p')).toEqual([]);
  });
});
