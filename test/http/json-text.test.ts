import { describe, expect, test } from '@jest/globals';
import { checkJsonShape } from '../../containers/api/body/json-shape.ts';
import { parseJsonText } from '../../containers/api/body/json-text.ts';
import { CouponError, limits, type Refusal } from '../../core/index.ts';

function refusalOf(text: string): Refusal {
  try {
    parseJsonText(text);
  } catch (error) {
    if (error instanceof CouponError) return error.refusal;
    throw error;
  }
  throw new Error(`taken: ${text.slice(0, 80)}`);
}

describe('JSON that a stranger wrote', () => {
  test.each([
    ['NUL', '{"userId":"a\\u0000b"}', '/userId'],
    ['a lone high surrogate', '{"userId":"\\ud800"}', '/userId'],
    ['a lone low surrogate', '{"userIds":["ok","\\udc00x"]}', '/userIds/1'],
    ['surrogates the wrong way round', '{"metadata":{"a/b":"\\ude00\\ud83d"}}', '/metadata/a~1b'],
    ['NUL in a name', '{"metadata":{"x\\u0000":1}}', '/metadata/x\u0000'],
    ['__proto__', '{"__proto__":{"role":"admin"}}', '/__proto__'],
    ['__proto__ deep down', '{"metadata":{"a":[{"__proto__":1}]}}', '/metadata/a/0/__proto__'],
    ['__proto__ in disguise', '{"\\u005f_proto__":1}', '/__proto__'],
    ['constructor.prototype', '{"constructor":{"prototype":{"x":1}}}', '/constructor'],
    ['a number beyond the largest', '{"metadata":{"a":1e400}}', '/metadata/a'],
    ['a negative one, in a list', '{"metadata":{"a":[0,-1.5E+309]}}', '/metadata/a/1'],
    ['one written out', `{"metadata":{"a":${'9'.repeat(310)}}}`, '/metadata/a'],
  ])('%s is invalid-input that names the field', (_what, text, path) => {
    const refusal = refusalOf(text);
    expect([refusal.kind, refusal.errors?.map((error) => error.path)]).toEqual(['invalid-input', [path]]);
  });

  test.each([
    ['{', '{'],
    ['nothing but white space', '  '],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['a raw control character', '{"a":"\u0001"}'],
    ['two values', '{}{}'],
    ['NaN', '{"a":NaN}'],
    ['a comment', '{/* */}'],
  ])('malformed JSON is invalid-input: %s', (_what, text) => {
    expect(refusalOf(text)).toMatchObject({ kind: 'invalid-input', errors: [{ path: 'body' }] });
  });

  test('a refusal of malformed JSON quotes nothing of it', () => {
    expect(JSON.stringify(refusalOf('{"code":"BF26-SECRET",]'))).not.toContain('SECRET');
  });

  test('10,000 levels, of lists or of objects, are refused without a stack overflow', () => {
    for (const text of ['['.repeat(10_000), '{"a":'.repeat(10_000), `${'['.repeat(10_000)}${']'.repeat(10_000)}`]) {
      expect(refusalOf(text).errors?.[0]?.message).toContain(`${limits.jsonMaxDepth} levels`);
    }
  });

  test.each([
    ['strings without commas', '""'.repeat(1_000_000)],
    ['empty objects', '{}'.repeat(1_000_000)],
    ['empty lists', '[]'.repeat(1_000_000)],
    ['escaped quotes in one string', `"${'\\"'.repeat(1_000_000)}"`],
    ['escaped quotes in many strings', `[${`"${'\\"'.repeat(290)}",`.repeat(9_000)}""]`],
  ])('millions of %s are refused before anything is made of them', (_what, value) => {
    expect(refusalOf(`{"userIds":${value}}`).errors).toEqual([
      { path: 'body', message: expect.stringContaining(`at most ${limits.jsonMaxTokens} strings`) },
    ]);
  });

  test('the longest list of users that there may be is taken', () => {
    const userIds = Array.from({ length: limits.assignBatchMaxUsers }, (_, at) => `user "${at}"`);
    expect(() => parseJsonText(JSON.stringify({ bookId: 'b', userIds }))).not.toThrow();
  });

  test('the deepest that is taken is the limit', () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(() => parseJsonText(nested(limits.jsonMaxDepth))).not.toThrow();
    expect(refusalOf(nested(limits.jsonMaxDepth + 1)).kind).toBe('invalid-input');
  });

  test('brackets and escaped quotes inside strings do not count as nesting', () => {
    expect(() => checkJsonShape(`{"a":"${'['.repeat(100)}\\"${'{'.repeat(100)}"}`)).not.toThrow();
    expect(() => checkJsonShape(`{"a\\\\":${'['.repeat(limits.jsonMaxDepth)}`)).toThrow('levels');
  });

  test('everything else reads as JSON.parse reads it', () => {
    for (const text of [
      '{"a":"\\ud83d\\ude00 \\u00e9","b":[1e3,-0.5,null,true]}',
      '{"a":1,"a":2}',
      '"constructor"',
      '7',
    ]) {
      expect(parseJsonText(text)).toEqual(JSON.parse(text));
    }
    expect(parseJsonText('{"constructor":"x","prototype":{}}')).toEqual({ constructor: 'x', prototype: {} });
  });

  test.each([
    [
      'as many items as a field takes',
      (n: number) => `{"a":1,"userIds":[${'1,'.repeat(n - 1)}1]}`,
      limits.jsonMaxItems,
      '/userIds',
    ],
    [
      'items in lists of a list',
      (n: number) => `{"userIds":[[${'1,'.repeat(n - 2)}1],1]}`,
      limits.jsonMaxItems,
      '/userIds',
    ],
    [
      'names in an object',
      (n: number) => `{"metadata":{${'"a":{},'.repeat(n - 1)}"a":[]}}`,
      limits.jsonMaxItems,
      '/metadata',
    ],
    ['fields', (n: number) => `{${'"a":",",'.repeat(n - 1)}"b":1}`, limits.jsonMaxFields, 'body'],
    ['a list where an object belongs', (n: number) => `[${'1,'.repeat(n - 1)}1]`, limits.jsonMaxFields, 'body'],
  ])('%s are taken and one more is refused by name, before anything is parsed', (_what, textOf, most, path) => {
    expect(() => parseJsonText(textOf(most))).not.toThrow();
    expect(refusalOf(textOf(most + 1)).errors).toEqual([
      { path, message: expect.stringContaining(`at most ${most} `) },
    ]);
    // What comes after the bound is not even looked at.
    expect(refusalOf(`${textOf(most + 1).slice(0, -2)},}{"`).errors?.[0]?.path).toBe(path);
  });

  test('commas in strings and in the fields before are nobody’s items', () => {
    const full = `[${'1,'.repeat(limits.jsonMaxItems - 1)}1]`;
    expect(() =>
      parseJsonText(`{"a":"${','.repeat(50_000)}\\"${','.repeat(50_000)}","b":${full},"c":${full}}`),
    ).not.toThrow();
  });

  test.each([
    ['an exponent on many digits', `${'9'.repeat(300)}e99`],
    ['zeros before the exponent’s digits', '1e000400'],
    ['white space around', `  ${'\n'.repeat(100)}-1E+999 `],
    ['digits before a fraction', `${'9'.repeat(400)}.5`],
  ])('a number beyond the largest is found whatever its writing: %s', (_what, number) => {
    expect(refusalOf(`{"metadata":{"a":[true,false,${number}]}}`).errors?.[0]?.path).toBe('/metadata/a/2');
    expect(refusalOf(`{"a":${number}`).errors?.[0]?.path).toBe('body');
  });
});
