import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { normaliseCode } from '../../core/codes/code-rules.ts';
import { CouponError } from '../../core/errors.ts';
import type { HeaderRule, UploadFormat } from '../../core/uploads/formats/row-sink.ts';
import { openUploadRows } from '../../core/uploads/formats/rows.ts';

type Found = [line: number, text: string] | [line: number, text: string, problem: string];

/** Reads a text in pieces of so many bytes. */
function read(format: UploadFormat, text: string | Buffer, pieceBytes = 7, header: HeaderRule | null = null): Found[] {
  const found: Found[] = [];
  const reader = openUploadRows(format, header, {
    row: (line, code) => found.push([line, code]),
    broken: (line, code, problem) => found.push([line, code, problem]),
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  reader.end();
  return found;
}

/** The hints that come with rejections. */
function hints(format: UploadFormat, text: string): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  const reader = openUploadRows(format, null, {
    row: () => {},
    broken: (_line, _text, _problem, hint) => found.push(hint),
  });
  reader.push(Buffer.from(text));
  reader.end();
  return found;
}

function refusal(format: UploadFormat, text: string | Buffer): { kind: string; path: string | undefined } {
  try {
    read(format, text);
  } catch (error) {
    if (error instanceof CouponError) return { kind: error.kind, path: error.refusal.errors?.[0]?.path };
    throw error;
  }
  throw new Error('nothing was refused');
}

interface Case {
  file: string;
  codes: string[];
  rejected: number;
  why: string;
}

const casesFolder = new URL('../cases/', import.meta.url);
const cases = JSON.parse(readFileSync(new URL('uploads.json', casesFolder), 'utf8')) as Case[];

describe('files as people have them', () => {
  test.each(cases)('$file: $why', ({ file, codes, rejected }) => {
    const format = file.endsWith('.csv') ? 'csv' : 'ndjson';
    const text = readFileSync(new URL(`uploads/${file}`, casesFolder));
    for (const pieceBytes of [1, 7, 65_536]) {
      const found = read(format, text, pieceBytes);
      expect(found.flatMap(([, code, problem]) => (problem ? [] : [normaliseCode(code)]))).toEqual(codes);
      expect(found.filter(([, , problem]) => problem)).toHaveLength(rejected);
    }
  });
});

describe('CSV', () => {
  test('a file without a header is one code a line, its first one included', () => {
    expect(read('csv', 'AAAA\nBBBB\r\nCCCC')).toEqual([
      [1, 'AAAA'],
      [2, 'BBBB'],
      [3, 'CCCC'],
    ]);
  });

  test('a header names the code column in any place, case, quotes and common delimiter, after a byte order mark', () => {
    expect(read('csv', '\uFEFFname,"Code",note\nx,AAAA,y\n')).toEqual([[2, 'AAAA']]);
    expect(read('csv', 'code;name\nAAAA;x\n')).toEqual([[2, 'AAAA']]);
    expect(read('csv', 'name\t CODE \nx\tAAAA\n')).toEqual([[2, 'AAAA']]);
  });

  test('blank lines are nothing, and lines keep their numbers', () => {
    expect(read('csv', '\n\ncode\n\nAAAA\n  \nBBBB\n\n')).toEqual([
      [5, 'AAAA'],
      [7, 'BBBB'],
    ]);
  });

  test('quoted fields may hold commas, doubled quotes and line breaks', () => {
    expect(read('csv', 'note,code\n"a, ""b""\nc",AAAA\n"",BBBB\n')).toEqual([
      [2, 'AAAA'],
      [4, 'BBBB'],
    ]);
  });

  test('a quote that is never closed costs its record, which goes on to the end, and no line of it becomes a row', () => {
    expect(read('csv', 'code\nAAAA\n"BROKEN\nBBBB\n"CCCC"x\n')).toEqual([
      [2, 'AAAA'],
      [3, '"BROKEN', 'broken-line'],
    ]);
    expect(hints('csv', 'note,code\n"x,AAAA\ny,BBBB\n')).toEqual([
      'A quoted cell begins here and never ends, so lines 2 to 3 were left out. Close the quote, or double it where it belongs to the text.',
    ]);
  });

  test('a quote inside a quoted cell that is not doubled costs its record, and the next one is read', () => {
    expect(read('csv', 'note,code\n"12" screen",AAAA\n"he said "hi\nx,FOO-1\n",BBBB\ny,CCCC\n')).toEqual([
      [2, '"12" screen",AAAA', 'broken-line'],
      [3, '"he said "hi', 'broken-line'],
      [6, 'CCCC'],
    ]);
  });

  test('text in a quoted cell never becomes a row, however long the cell and its lines, or after a space', () => {
    const rows = 'FOO-1,x\n'.repeat(20_000);
    for (const start of ['"', ' "', `"${'y'.repeat(200_000)}`, `"a\n${'y'.repeat(200_000)}`]) {
      const found = read('csv', `code,note\nAAAA,${start}\n${rows}"\nBBBB,"z"\n`, 65_536);
      expect(found.map(([, text, problem]) => [text.slice(0, 4), problem])).toEqual([
        ['AAAA', 'line-too-long'],
        ['BBBB', undefined],
      ]);
    }
    expect(read('csv', 'code,note\nAAAA, "x\nFOO-1,y" \nBBBB,z\n')).toEqual([
      [2, 'AAAA'],
      [4, 'BBBB'],
    ]);
  });

  test('megabytes of quotes that never close are one rejection', () => {
    for (const line of ['"x\n', '"\n', 'a,"b""c\n', '" "x" "\n']) {
      const found = read('csv', `code,note\nAAAA,1\n${line.repeat(300_000)}`, 65_536);
      expect(found[0]).toEqual([2, 'AAAA']);
      expect(found.every(([, , problem], at) => at === 0 || problem !== undefined)).toBe(true);
    }
  });

  test('a cell over its bound costs its own record', () => {
    const found = read('csv', `code,note\nAAAA,"${'line\n'.repeat(20_000)}"\nBBBB,"ok"\n`, 65_536);
    expect(found).toEqual([
      [2, 'AAAA,"line', 'line-too-long'],
      [20_003, 'BBBB'],
    ]);
  });

  test('a line with more or fewer columns than the header is rejected', () => {
    expect(read('csv', 'code,note\nAAAA\nBBBB,x,y\nCCCC,\n')).toEqual([
      [2, 'AAAA', 'wrong-column-count'],
      [3, 'BBBB,x,y', 'wrong-column-count'],
      [4, 'CCCC'],
    ]);
    expect(read('csv', 'AAAA\nBBBB,x\n')[1]).toEqual([2, 'BBBB,x', 'wrong-column-count']);
  });

  test.each([
    ['Serial', 'AAAA-1111'],
    ['VOUCHER_CODE', 'AAAA-1111'],
    ['Código', 'AAAA-1111'],
    ['"cupón"', 'AAAA-1111'],
    ['Gutschein-Code', 'AAAA-1111'],
    ['codigo_cupon', 'AAAA-1111'],
    ['Code promo', 'AAAA-1111'],
    ['\u200BCodes:', 'AAAA-1111'],
  ])('a first line that is what a column of codes is called is a heading, in one column too: %s', (heading, code) => {
    expect(read('csv', `${heading}\n${code}\n`)).toEqual([[2, code]]);
    expect(read('csv', `n;${heading}\n1;${code}\n`)).toEqual([[2, code]]);
  });

  test.each([
    'WELCOME',
    'reference',
    'Column1',
    'Spalte1',
    'coupon_code_2',
    'code1',
    'My-Own-Heading',
    'SUMMER_SALE',
    'Codes_BF26',
    'codes2026',
    'coupon_code_v2',
  ])('a first line that may be a heading is refused until the sender says what it is: %s', (line) => {
    const text = `${line}\nAAAA-1111\n`;
    expect(refusal('csv', text)).toEqual({ kind: 'invalid-input', path: 'header' });
    expect(read('csv', text, 7, 'none')).toEqual([
      [1, line],
      [2, 'AAAA-1111'],
    ]);
    expect(read('csv', text, 7, 'present')).toEqual([[2, 'AAAA-1111']]);
  });

  test.each(['AAAA-1111', 'CODE-1', 'code-1', 'COUPON1', 'bf26-7k2m', '12345678', 'CLASH-AAAAAAAA'])(
    'a first line that is plainly a code is one: %s',
    (line) => {
      expect(read('csv', `${line}\nBBBB-2222\n`)).toEqual([
        [1, line],
        [2, 'BBBB-2222'],
      ]);
    },
  );

  test('with header=none even a column’s name is a code, and several columns are refused', () => {
    expect(read('csv', 'code\nAAAA\n', 7, 'none')).toEqual([
      [1, 'code'],
      [2, 'AAAA'],
    ]);
    const reader = () => read('csv', 'id,code\n1,AAAA\n', 7, 'none');
    expect(reader).toThrow(/without a heading a file has one code a line/);
  });

  test('of several columns the one called exactly code has the codes; several of like names are listed', () => {
    expect(read('csv', 'Code,coupon,code\nx,y,AAAA\n')).toEqual([[2, 'AAAA']]);
    expect(read('csv', 'coupon,CODE\ny,AAAA\n')).toEqual([[2, 'AAAA']]);
    expect(() => read('csv', 'id,coupon,Voucher code\n1,AAAA,BBBB\n')).toThrow(/"coupon", "Voucher code"/);
    expect(() => read('csv', 'code,code\nAAAA,BBBB\n')).toThrow(/"code", "code"/);
  });

  test('a heading may be quoted over several lines, and a separator line names any delimiter', () => {
    expect(read('csv', '"coupon\ncode",n\nAAAA,1\n')).toEqual([[3, 'AAAA']]);
    expect(read('csv', '\uFEFFsep=|\r\nn|code\r\n1|AAAA\r\n')).toEqual([[3, 'AAAA']]);
    expect(read('csv', '"sep=;"\ncode;price\nAAAA;1,5\n')).toEqual([[3, 'AAAA']]);
  });

  test('rows of empty cells are blank lines, and empty cells behind a row nothing', () => {
    expect(read('csv', 'code;n\nAAAA;1;;\n;\n ; \n;;;\n"";""\n')).toEqual([[2, 'AAAA']]);
    expect(read('csv', 'AAAA-1,\nBBBB-2,\n,\n')).toEqual([
      [1, 'AAAA-1'],
      [2, 'BBBB-2'],
    ]);
  });

  test('CR alone ends lines where there is no LF, and is part of a cell where there is', () => {
    expect(read('csv', 'code\rAAAA\r\rBBBB', 1)).toEqual([
      [2, 'AAAA'],
      [4, 'BBBB'],
    ]);
    expect(read('csv', 'code,n\nAAAA,"x\ry"\n')).toEqual([[2, 'AAAA']]);
    const codes = Array.from({ length: 50_000 }, (_, at) => `CODE-${at}`);
    expect(read('csv', codes.join('\r'), 65_536).map(([, text]) => text)).toEqual(codes);
  });

  test.each([
    'codeAAAA-1111BBBB-2222',
    'codeAAAA-1111',
    'coupon_codeAAAA-1111',
    'AAAA-1111BBBB-2222CCCC-3333',
    'codeaaaa-1111bbbb-2222',
    'AAAA-1111'.repeat(20),
    `code${'AAAA-1111'.repeat(20_000)}`,
  ])('a file that lost its line breaks is no code, and is told how to send it: %.40s', (text) => {
    expect(read('csv', text).map(([line, , problem]) => [line, problem !== undefined])).toEqual([[1, true]]);
    expect(hints('csv', text)).toEqual([expect.stringContaining('--data-binary')]);
  });

  test('one code without a line break is one', () => {
    for (const code of ['AAAA-1111', 'WELCOME-2026', 'BF26-7K2M-Q9XD', '1234567890123456', 'CODE-1', 'AB12CD34EF56']) {
      expect(read('csv', code)).toEqual([[1, code]]);
    }
  });

  test('several columns of which none is called code are refused as a whole', () => {
    expect(refusal('csv', 'name,value\nx,y\n')).toEqual({ kind: 'invalid-input', path: 'code' });
  });

  test('a line of megabytes is rejected without being kept, and the next one taken', () => {
    const found = read('csv', `AAAA\n${'x'.repeat(3_000_000)}\nBBBB\n`, 65_536);
    expect(found.map(([line, text, problem]) => [line, text.length < 200_000, problem])).toEqual([
      [1, true, undefined],
      [2, true, 'line-too-long'],
      [3, true, undefined],
    ]);
  });

  test('UTF-16 is refused with the way out', () => {
    expect(refusal('csv', Buffer.from('\uFEFFcode\nAAAA', 'utf16le')).kind).toBe('invalid-input');
  });
});

describe('NDJSON', () => {
  test('a line is a string or an object with a code; anything else is rejected by its number', () => {
    const lines = [
      '"AAAA"',
      '{"code":"BBBB","note":1}',
      '',
      '{"code":5}',
      '[]',
      '{',
      '7',
      '{"__proto__":{"code":"x"}}',
    ];
    expect(read('ndjson', lines.join('\n'))).toEqual([
      [1, 'AAAA'],
      [2, 'BBBB'],
      [4, '{"code":5}', 'broken-line'],
      [5, '[]', 'broken-line'],
      [6, '{', 'broken-line'],
      [7, '7', 'broken-line'],
      [8, '{"__proto__":{"code":"x"}}', 'broken-line'],
    ]);
  });
});

describe('objects', () => {
  test.each<[UploadFormat, string]>([
    ['ndjson', '{"coupon_code":"AAAA","n":{"code":"x"}}\n{"Voucher Code":"BBBB"}\n{"coupon":"z","code":"CCCC"}\n'],
    [
      'json',
      '{"codes":[{"coupon_code":"AAAA","n":{"code":"x}"}}, {"Voucher Code":"B\\u0042BB"},{"coupon":"z","code":"CCCC"}]}',
    ],
  ])('%s: the field that has the code is found as a CSV’s column is', (format, text) => {
    expect(read(format, text, 1).map(([, code]) => code)).toEqual(['AAAA', 'BBBB', 'CCCC']);
  });

  test('one without such a field, with several, or with no text in it, is rejected by its number', () => {
    const objects = ['{"name":"AAAA"}', '{"coupon":"AAAA","voucher":"BBBB"}', '{"code":5}', '{}'];
    const expected = objects.map((text, at) => [at + 1, text, 'broken-line']);
    expect(read('ndjson', objects.join('\n'))).toEqual(expected);
    expect(read('json', `{"codes":[${objects.join(',')}]}`)).toEqual(expected);
  });

  test('a first string that is what a column of codes is called is rejected by name, unless it is said to be a code', () => {
    expect(read('ndjson', '"voucher_code"\n"AAAA"\n"code"\n')).toEqual([
      [1, 'voucher_code', 'heading'],
      [2, 'AAAA'],
      [3, 'code'],
    ]);
    expect(read('json', '{"codes":["code","AAAA"]}')[0]).toEqual([1, 'code', 'heading']);
    expect(read('json', '{"codes":["code","AAAA"]}', 7, 'none')[0]).toEqual([1, 'code']);
  });

  test('one of megabytes is rejected without being kept', () => {
    const found = read('json', `{"codes":[{"code":"AAAA","x":"${'y}'.repeat(100_000)}"},"BBBB"]}`, 65_536);
    expect(found.map(([line, text, problem]) => [line, text.length < 200_000, problem])).toEqual([
      [1, true, 'line-too-long'],
      [2, true, undefined],
    ]);
  });
});

describe('JSON', () => {
  test('codes are counted from 1, escapes are read, white space does not matter', () => {
    expect(read('json', ' {\n"codes" : [ "AAAA" ,\t"B\\u0042\\"B", "" ] } \n', 1)).toEqual([
      [1, 'AAAA'],
      [2, 'BB"B'],
      [3, ''],
    ]);
    expect(read('json', '{"\\u0063odes":[]}')).toEqual([]);
  });

  test.each([
    ['', 'body'],
    ['[]', 'body'],
    ['"x"', 'body'],
    ['{', 'body'],
    ['{}', '/codes'],
    ['{"codes":"AAAA"}', '/codes'],
    ['{"codes":null}', '/codes'],
    ['{"codes":["AAAA",5]}', '/codes/1'],
    ['{"codes":[["AAAA"]]}', '/codes/0'],
    ['{"codes":[{"code":"AAAA"]}', 'body'],
    ['{"codes":[{"code":"AAAA"', 'body'],
    ['{"codes":[{code:"AAAA"}]}', 'body'],
    ['{"codes":["AAAA",]}', 'body'],
    ['{"codes":["AAAA" "BBBB"]}', 'body'],
    ['{"codes":["AAAA"]', 'body'],
    ['{"codes":["AAAA"]}}', 'body'],
    ['{"codes":["AAAA"],"codes":[]}', 'body'],
    ['{"codes":["AA\nAA"]}', 'body'],
    ['{"codes":["AA\\xAA"]}', 'body'],
    ['{"code":["AAAA"]}', '/code'],
    ['{"__proto__":["AAAA"]}', '/__proto__'],
    [`{"codes":${'['.repeat(10_000)}`, '/codes/0'],
  ])('%.40s is refused as a whole', (text, path) => {
    expect(refusal('json', text)).toEqual({ kind: 'invalid-input', path });
  });

  test('a string of megabytes is rejected without being kept', () => {
    const found = read('json', `{"codes":["${'\\\\x'.repeat(1_000_000)}","AAAA"]}`, 65_536);
    expect(found.map(([line, text, problem]) => [line, text.length < 20_000, problem])).toEqual([
      [1, true, 'line-too-long'],
      [2, true, undefined],
    ]);
  });

  test('any codes come out as JSON.stringify wrote them, however the text is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 20 })),
        fc.integer({ min: 1, max: 9 }),
        (codes, piece) => {
          const found = read('json', JSON.stringify({ codes }), piece);
          expect(found.map(([, text]) => text)).toEqual(codes);
        },
      ),
    );
  });

  test('any text is read or refused, and never read differently from JSON.parse', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"codes"',
      '"AAAA"',
      ':',
      ',',
      ' ',
      '1',
      'null',
      '"\\u00e9"',
      '"\\"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const text = pieces.join('');
        let found: string[] | null = null;
        try {
          found = read('json', text).map(([, code]) => code);
        } catch (error) {
          expect(error).toBeInstanceOf(CouponError);
        }
        if (found === null) return;
        const { codes } = JSON.parse(text) as { codes: unknown[] };
        expect(codes.map((code) => (typeof code === 'string' ? code : undefined))).toEqual(
          found.map((code) => (code.startsWith('{') ? undefined : code)),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});
