import { describe, expect, test } from '@jest/globals';
import { csvCell } from '../../core/codes/csv-cell.ts';

describe('a cell of a CSV file', () => {
  test.each(['=1+1', '+1', '-1', '@x', '＝1+1', '＋1', '－1', '＠x', '﹦1', '﹢1', '﹣1', '﹫x', '−1'])(
    'is no formula: %s',
    (text) => expect(csvCell(text)).toBe(`'${text}`),
  );

  test.each([' ', '\u00a0', '\u200b', '\u200e', '\u202e', '\u2066', '\ufeff', '\u0001', '\u200b\u202e '])(
    'is no formula behind what can’t be seen: %j',
    (unseen) => expect(csvCell(`${unseen}=1+1`)).toBe(`'${unseen}=1+1`),
  );

  test.each(['\t', '\r', '\n', '\n=1+1', '\t\t@x'])('begins with no white space that is dropped: %j', (text) => {
    expect(csvCell(text).startsWith(`"'`)).toBe(true);
  });

  test.each([
    ['a;=1+1', `"a;'=1+1"`],
    ['a;b', '"a;b"'],
    ['a\t@x', `"a\t'@x"`],
    ['a\n-1;b', `"a\n'-1;b"`],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
  ])('is quoted where a separator would divide it, and runs nothing behind that: %j', (text, cell) => {
    expect(csvCell(text)).toBe(cell);
  });

  test.each(['u-1', 'someone@example.com', 'a+b=c', 'ñandú', 'a b', '\u200bx', '😀', "o'neill", 'a|b'])(
    'is left as it is where it is harmless: %j',
    (text) => expect(csvCell(text)).toBe(text),
  );
});
