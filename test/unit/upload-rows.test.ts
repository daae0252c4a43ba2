import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openUploadRows, type UploadFormat } from '../../core/codes/upload-rows.ts';
import { CouponError } from '../../core/errors.ts';

type Found = [line: number, text: string] | [line: number, text: string, problem: string];

/** Reads a text in pieces of so many bytes. */
function read(format: UploadFormat, text: string | Buffer, pieceBytes = 7): Found[] {
  const found: Found[] = [];
  const reader = openUploadRows(format, {
    row: (line, code) => found.push([line, code]),
    broken: (line, code, problem) => found.push([line, code, problem]),
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
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

  test('a quote that is never closed costs its own line and none after it', () => {
    expect(read('csv', 'code\nAAAA\n"BROKEN\nBBBB\n"CCCC"\n')).toEqual([
      [2, 'AAAA'],
      [3, '"BROKEN', 'broken-line'],
      [4, 'BBBB'],
      [5, 'CCCC'],
    ]);
    const lines = Array.from({ length: 200 }, (_, at) => `x,CODE-${at}`);
    lines[10] = '"x,BROKEN';
    const found = read('csv', `note,code\n${lines.join('\n')}\n`);
    expect(found.filter(([, , problem]) => problem)).toEqual([[12, '"x,BROKEN', 'broken-line']]);
    expect(found).toHaveLength(200);
  });

  test('an open quote at the end of the file gives the lines before it back', () => {
    expect(read('csv', 'note,code\n"x,AAAA\ny,BBBB\n')).toEqual([
      [2, '"x,AAAA', 'broken-line'],
      [3, 'BBBB'],
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
        if (found !== null) expect(JSON.parse(text)).toEqual({ codes: found });
      }),
      { numRuns: 2_000 },
    );
  });
});
