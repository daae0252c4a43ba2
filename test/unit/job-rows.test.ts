import { describe, expect, test } from '@jest/globals';
import type { CouponError } from '../../core/errors.ts';
import type { JobRow } from '../../core/jobs/job-rows.ts';
import { openJobRows } from '../../core/jobs/read-job-rows.ts';
import { SeenKeys } from '../../core/jobs/seen-keys.ts';
import type { HeaderRule } from '../../core/uploads/formats/row-sink.ts';

/** The rows of a file, cut into pieces of so many bytes; those of an `assign` with how many codes each wants. */
function rowsOf(
  kind: 'assign' | 'void',
  file: string,
  header: HeaderRule | null = null,
  piece = 7,
): (JobRow & { times?: number })[] {
  const rows: (JobRow & { times?: number })[] = [];
  const reader = openJobRows(kind, header, (row, times) => rows.push(times === 1 ? row : { ...row, times }));
  const bytes = Buffer.from(file);
  for (let at = 0; at < bytes.length; at += piece) reader.push(bytes.subarray(at, at + piece));
  reader.end();
  return rows;
}

function refusalOf(kind: 'assign' | 'void', file: string, header: HeaderRule | null = null): string {
  try {
    rowsOf(kind, file, header);
  } catch (error) {
    return (error as CouponError).refusal.errors![0]!.path;
  }
  return 'none';
}

describe('a file of users', () => {
  test.each(['userId', 'User ID', 'user_id', 'USER-ID', '"userId"', ' userId '])(
    'has its ids in the column %s',
    (name) => {
      expect(rowsOf('assign', `name,${name},Count\nAnn,u-1,\nBob,u-2,3\n`)).toEqual([
        { line: 2, userId: 'u-1' },
        { line: 3, userId: 'u-2', times: 3 },
      ]);
    },
  );

  test.each([',', ';', '\t'])('may be separated by %j, with a byte order mark and any line breaks', (separator) => {
    for (const lineBreak of ['\n', '\r\n', '\r']) {
      const file = `\u{feff}userId${separator}count${lineBreak}"u${separator}1"${separator}2${lineBreak}ü-2${separator}${lineBreak}`;
      expect(rowsOf('assign', file, null, 1)).toEqual([
        { line: 2, userId: `u${separator}1`, times: 2 },
        { line: 3, userId: 'ü-2' },
      ]);
    }
  });

  test('needs a heading that names the ids, unless the sender says what the first line is', () => {
    expect(refusalOf('assign', 'u-1\nu-2\n')).toBe('userId');
    expect(refusalOf('assign', 'email\nu-1\n')).toBe('userId');
    expect(refusalOf('assign', 'userId,user id\nu-1,u-2\n')).toBe('userId');
    expect(refusalOf('assign', 'u-1,2\n', 'none')).toBe('userId');
    expect(rowsOf('assign', 'userId\nu-1', 'none')).toEqual([
      { line: 1, userId: 'userId' },
      { line: 2, userId: 'u-1' },
    ]);
    expect(rowsOf('assign', 'email\nu-1', 'present')).toEqual([{ line: 2, userId: 'u-1' }]);
  });

  test('names a user once, to the letter', () => {
    expect(rowsOf('assign', 'userId\nu-1\nU-1\n u-1 \n').map(({ outcome }) => outcome)).toEqual([
      undefined,
      undefined,
      'duplicate-in-file',
    ]);
  });

  test('keeps no text of a line that can’t be carried out for its text', () => {
    const long = 'x'.repeat(129);
    expect(rowsOf('assign', `userId,count\n${long},1\nu\0,1\nu-1\n"u-2,1\n`)).toEqual([
      { line: 2, outcome: 'invalid-user-id' },
      { line: 3, outcome: 'invalid-user-id' },
      { line: 4, outcome: 'wrong-column-count' },
      { line: 5, outcome: 'broken-line' },
    ]);
  });
});

describe('a file of codes', () => {
  test('has its codes where an upload has them, with reasons beside a heading', () => {
    expect(rowsOf('void', 'Gutschein;Reason\nAB-12;leaked\nab-12;\nCD-34;\n')).toEqual([
      { line: 2, code: 'AB-12', reason: 'leaked' },
      { line: 3, code: 'ab-12', outcome: 'duplicate-in-file' },
      { line: 4, code: 'CD-34' },
    ]);
    expect(rowsOf('void', 'AB-12\nCD-34\n')).toEqual([
      { line: 1, code: 'AB-12' },
      { line: 2, code: 'CD-34' },
    ]);
    expect(refusalOf('void', 'SUMMER\nAB-12\n')).toBe('header');
  });

  test('what no code can be is no coupon’s, and a reason has its bounds', () => {
    expect(rowsOf('void', `code,reason\n${'A'.repeat(257)},\nAB-12,${'x'.repeat(501)}\n`)).toEqual([
      { line: 2, outcome: 'coupon-not-found' },
      { line: 3, outcome: 'invalid-reason' },
    ]);
  });
});

test('of a hundred thousand texts that come twice, each is new once', () => {
  const seen = new SeenKeys();
  const count = (text: (index: number) => string) =>
    Array.from({ length: 100_000 }, (_, index) => seen.add(text(index))).filter(Boolean).length;
  expect([count((index) => `u-${index}`), count((index) => `u-${index}`), count((index) => `v-${index}`)]).toEqual([
    100_000, 0, 100_000,
  ]);
});
