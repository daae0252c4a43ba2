import { describe, expect, test } from '@jest/globals';
import { parsePattern } from '../../core/codes/pattern-rules.ts';
import { codeOfLetters, likeSymbols, typedLetters } from '../../core/codes/typed-letters.ts';

describe('the letters of a typed code', () => {
  test.each([
    ['bf26-7k2m-q9xd', 'BF267K2MQ9XD'],
    ['BF26 7K2M Q9XD', 'BF267K2MQ9XD'],
    ['BF26.7K2M/Q9XD,', 'BF267K2MQ9XD'],
    ['“BF26_7K2M–Q9XD”', 'BF267K2MQ9XD'],
    ['BF26\u200b7K2M\tQ9XD', 'BF267K2MQ9XD'],
    ['ＢＦ２６　７Ｋ２Ｍ－Ｑ９ＸＤ', 'BF267K2MQ9XD'],
  ])('%j are %s', (typed, letters) => expect(typedLetters(typed)).toBe(letters));

  test.each(['', ' ', '---', '_', 'AÑO-2026', 'код-1234', '🎁🎁🎁🎁', 'ß123'])('%j has none that a code has', (typed) =>
    expect(typedLetters(typed)).toBeNull(),
  );

  test.each([
    ['O', ['O', '0']],
    ['0', ['0', 'O']],
    ['I', ['I', '1', 'L']],
    ['1', ['1', 'I', 'L']],
    ['Q', ['Q']],
  ])('%s may be meant by %j', (letter, symbols) => expect(likeSymbols(letter)).toEqual(symbols));
});

describe('the code of a pattern that has the letters', () => {
  const codeOf = (template: string, letters: string, alphabet?: string) => {
    const parsed = parsePattern(template, alphabet);
    if (!parsed.ok) throw new Error(parsed.message);
    return codeOfLetters(parsed.pattern, letters);
  };

  test.each([
    ['BF26-####-####', 'BF267K2MQ9XD', 'BF26-7K2M-Q9XD'],
    ['BF26-####-####', 'BF267KOMQIXL', 'BF26-7K0M-Q1X1'],
    ['SOL_2010-########', 'S0L2O1O12345678', 'SOL_2010-12345678'],
    ['--######--', '123456', '--123456--'],
  ])('%s and %s: %s', (template, letters, code) => expect(codeOf(template, letters)).toBe(code));

  test('the typed one of two symbols that look alike counts where the alphabet has both', () => {
    expect(codeOf(`A-${'#'.repeat(20)}`, `A${'O0'.repeat(10)}`, 'O0')).toBe(`A-${'O0'.repeat(10)}`);
  });

  test.each(['BF267K2MQ9X', 'BF267K2MQ9XDD', 'BX267K2MQ9XD', 'BF267K2MQ9XU'])(
    '%s is none of BF26-####-####',
    (letters) => expect(codeOf('BF26-####-####', letters)).toBeNull(),
  );
});
