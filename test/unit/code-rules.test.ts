import { describe, expect, test } from '@jest/globals';
import { checkCode, normaliseCode, readCode, upperCaseAscii } from '../../core/codes/code-rules.ts';

describe('a typed code', () => {
  test('is read without the white space around it and in upper case', () => {
    expect(normaliseCode(' \t bf26-7k2m\u00a0\r\n')).toBe('BF26-7K2M');
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
