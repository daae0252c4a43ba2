import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { readCode } from '../../core/codes/code-rules.ts';
import { openUploadRows } from '../../core/uploads/formats/rows.ts';
import { HeldRows, heldRowsMax, heldTextMaxBytes } from '../../core/uploads/held-rows.ts';
import { pieceMaxBytes, readBody } from '../../core/uploads/read-body.ts';

const code = (at: number) => `C${String(at).padStart(63, '0')}`;

test('a code is kept whole or refused, never cut short', () => {
  const rows = new HeldRows(heldRowsMax);
  let kept = 0;
  const fill = () => {
    for (; kept < heldRowsMax; kept += 1) rows.add(kept + 1, code(kept));
  };
  expect(fill).toThrow(RangeError);
  expect(kept).toBeGreaterThan(heldTextMaxBytes / 64);
  expect(rows.count).toBe(kept);
  expect(rows.code(kept - 1)).toBe(code(kept - 1));
});

test('a row too many is refused', () => {
  const rows = new HeldRows(1);
  const fill = () => {
    for (let at = 0; at < 1_000_000; at += 1) rows.add(at + 1, 'ABCD');
  };
  expect(fill).toThrow(RangeError);
  expect(rows.code(rows.count - 1)).toBe('ABCD');
});

const fillTo = heldTextMaxBytes / 64 - 1;
/** Rows that were held before the body's; the last ones up to the limit are read from it, in several pieces. */
const heldBefore = fillTo - 5_000;
const codesFrom = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => code(from + at));

/** Bodies that make a reader hold rows back and give them all at once when the rows before are nearly too many. */
const bodies: [string, () => string][] = [
  [
    'an open quote at the limit',
    () => {
      const rows = codesFrom(heldBefore, fillTo)
        .map((text) => `${text},\n`)
        .join('');
      const before = `code,n\n${rows}`;
      const open = 'QUOT,"\n';
      const heldBack = codesFrom(fillTo, fillTo + 47)
        .map((text) => `${text},\n`)
        .join('');
      const gap = pieceMaxBytes - ((before.length + open.length + heldBack.length) % pieceMaxBytes);
      const rest = codesFrom(fillTo + 47, fillTo + 1_040)
        .map((text) => `${text},\n`)
        .join('');
      return `${before}${'\n'.repeat(gap)}${open}${heldBack}${rest}`;
    },
  ],
  ['lines that CR alone ends', () => codesFrom(heldBefore, fillTo + 1_100).join('\r')],
];

test.each(bodies)('rows up to the limit are the ones that were given: %s', async (_what, bodyOf) => {
  const rows = new HeldRows(heldRowsMax);
  for (let at = 0; at < heldBefore; at += 1) rows.add(at + 1, code(at));
  const given: string[] = [];
  const reader = openUploadRows('csv', null, {
    row(line, text) {
      const read = readCode(text);
      if (!read.ok) return;
      given.push(read.code);
      rows.add(line, read.code);
    },
    broken: () => {},
  });
  for await (const piece of readBody(Readable.from([Buffer.from(bodyOf())]))) {
    if (rows.isFull) break;
    reader.push(piece);
  }
  if (!rows.isFull) reader.end();
  expect(rows.count).toBeGreaterThanOrEqual(fillTo);
  expect(rows.count).toBe(heldBefore + given.length);
  expect(given.findIndex((text, at) => rows.code(heldBefore + at) !== text)).toBe(-1);
});
