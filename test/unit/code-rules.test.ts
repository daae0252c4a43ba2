import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkCode, normaliseCode, readCode, upperCaseAscii } from '../../core/codes/code-rules.ts';

describe('a typed code', () => {
  test('is read without the white space around it and in upper case', () => {
    expect(normaliseCode(' \t bf26-7k2m\u00a0\r\n')).toBe('BF26-7K2M');
  });

  test.each([...'\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uFE58\uFE63\uFF0D\u2E3A\u301C\u30FC\u058A\u05BE'])(
    'has its dash, whatever dash was typed: %j',
    (dash) => {
      expect(normaliseCode(`bf26${dash}7k2m${dash}`)).toBe('BF26-7K2M-');
    },
  );

  test.each([...'\u200B\u200C\u200D\u200E\u200F\u2060\uFEFF\u00AD\u061C\u202A\u202E\u2066\u2069\uFE0F'])(
    'is read without what nobody sees: %j',
    (invisible) => {
      expect(normaliseCode(`${invisible} BF26${invisible}-7K2M ${invisible}`)).toBe('BF26-7K2M');
    },
  );

  test('that is one already stays as it is, whatever characters it has', () => {
    const code = fc.string({ unit: fc.constantFrom(...'ABCXYZ0189-_'), minLength: 4, maxLength: 64 });
    fc.assert(fc.property(code, (text) => expect(readCode(text)).toEqual({ ok: true, code: text })));
  });

  test('keeps the white space inside it, and so is no code', () => {
    expect(readCode('BF26 7K2M')).toMatchObject({ ok: false, problem: 'code-has-invalid-character' });
  });

  test.each(['ıııı', 'ſale', 'straße', 'ﬁne', 'Kelvin\u212a'])(
    '%s does not become a code by Unicode upper-casing',
    (text) => {
      expect(readCode(text)).toMatchObject({ ok: false });
    },
  );

  test('is the same after a second normalisation', () => {
    const once = normaliseCode('  ab-cd_12 ');
    expect(normaliseCode(once)).toBe(once);
  });

  test('upper-casing touches ASCII letters only', () => {
    expect(upperCaseAscii('azAZ09-_é')).toBe('AZAZ09-_é');
  });
});

describe('a code', () => {
  test.each(['ABCD', '0000', '-_-_', 'A'.repeat(64)])('may be %s', (code) => {
    expect(checkCode(code)).toEqual({ ok: true, code });
  });

  test.each([
    ['', 'code-too-short'],
    ['ABC', 'code-too-short'],
    ['A'.repeat(65), 'code-too-long'],
    ['ABCd', 'code-has-invalid-character'],
    ['ABC#', 'code-has-invalid-character'],
    ['ABCD\n', 'code-has-invalid-character'],
    ['ABC\u0000', 'code-has-invalid-character'],
    ['ÀBCD', 'code-has-invalid-character'],
    ['AB,CD', 'code-has-invalid-character'],
  ])('may not be %j', (text, problem) => {
    expect(checkCode(text)).toMatchObject({ ok: false, problem });
  });

  test('that is refused says which character to replace', () => {
    expect(readCode('ab🎉cd')).toEqual({
      ok: false,
      problem: 'code-has-invalid-character',
      message: 'a code has only A-Z, 0-9, "-" and "_"; replace "🎉" at character 3',
    });
  });
});
