import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkCode } from '../../core/codes/code-rules.ts';
import {
  checkRoom,
  commonText,
  formatCodes,
  guessOdds,
  isSamePattern,
  matchPattern,
  type Pattern,
  parsePattern,
  patternExpression,
} from '../../core/codes/pattern-rules.ts';

const ALL_SYMBOLS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

function pattern(template: string, alphabet?: string): Pattern {
  const result = parsePattern(template, alphabet);
  if (!result.ok) throw new Error(result.message);
  return result.pattern;
}

/** Nine positions, mostly placeholders, of characters and alphabets chosen to meet each other and to fold. */
const anyPattern = fc
  .tuple(
    fc.array(
      fc.oneof({ weight: 5, arbitrary: fc.constant('#') }, { weight: 1, arbitrary: fc.constantFrom(...'0O1IL9AZ-') }),
      { minLength: 9, maxLength: 9 },
    ),
    fc.constantFrom('crockford32', 'digits', 'ABCDEFGHJK', '0O23456789', '23456789AB', '1LABCDEFGH', ALL_SYMBOLS),
  )
  .map(([characters, alphabet]) => parsePattern(characters.join(''), alphabet))
  .filter((result) => result.ok)
  .map((result) => result.pattern);

/** What may be typed at a position, said again in other words than the rules use. */
function typedCharacters({ template, alphabet }: Pattern, at: number): string[] {
  if (template[at] !== '#') return [template[at]!];
  const zero = alphabet.includes('0') && !alphabet.includes('O') ? ['O'] : [];
  const one = alphabet.includes('1') ? ['I', 'L'].filter((letter) => !alphabet.includes(letter)) : [];
  return [...alphabet, ...zero, ...one];
}

function anyTypedText(of: Pattern): fc.Arbitrary<string> {
  const characters = [...of.template].map((_, at) => fc.constantFrom(...typedCharacters(of, at)));
  return fc.tuple(...characters).map((text) => text.join(''));
}

const patternsOverlap = (a: Pattern, b: Pattern) => commonText(a, b) !== null;

describe('parsing a pattern', () => {
  test('upper-cases its letters and counts its combinations', () => {
    expect(pattern('bf26-####-####')).toMatchObject({
      template: 'BF26-####-####',
      alphabet: '0123456789ABCDEFGHJKMNPQRSTVWXYZ',
      placeholders: [5, 6, 7, 8, 10, 11, 12, 13],
      combinations: 2n ** 40n,
    });
  });

  test('counts beyond 2^53 exactly', () => {
    expect(pattern('#'.repeat(64), ALL_SYMBOLS).combinations).toBe(36n ** 64n);
  });

  test('reads back from its own template and alphabet', () => {
    const first = pattern('x-########', 'ZYX0123');
    expect(pattern(first.template, first.alphabet)).toEqual(first);
  });

  test.each([
    ['crockford32', 32],
    ['digits', 10],
    ['01', 2],
    ['ABCXYZ', 6],
    [ALL_SYMBOLS, 36],
  ])('takes the alphabet %s', (alphabet, symbols) => {
    expect(pattern('#'.repeat(20), alphabet).alphabet).toHaveLength(symbols);
  });

  test.each(['', 'A', 'AA', 'Aa', 'ABCA', 'AB-', 'AB C', 'ÀB', '#A', `${ALL_SYMBOLS}!`, 'constructor'])(
    'refuses the alphabet %j',
    (alphabet) => {
      expect(parsePattern('########', alphabet)).toMatchObject({ ok: false, problem: 'invalid-alphabet' });
    },
  );

  test.each(['numbers', 'hex', 'base32', 'Crockford32', 'DIGITS1', 'abc', 'abcXYZ', 'digits ', 'DIGITS'])(
    'lower case is neither a symbol nor a name, and no name is made up: %j lists what there is',
    (alphabet) => {
      const message = expect.stringMatching(/"crockford32", "digits", or 2 to 36 symbols of A-Z and 0-9/);
      expect(parsePattern('########', alphabet)).toMatchObject({ ok: false, problem: 'invalid-alphabet', message });
    },
  );

  test.each([
    ['BF26-WELCOME', 'no-placeholder'],
    ['###', 'too-short'],
    ['', 'too-short'],
    ['#'.repeat(65), 'too-long'],
    ['BF 26-######', 'invalid-character'],
    ['BF26-######\n', 'invalid-character'],
    ['ÑU-########', 'invalid-character'],
    ['%_[]######', 'invalid-character'],
    ['BF26-###', 'too-few-combinations'],
  ])('refuses %j as %s', (template, problem) => {
    expect(parsePattern(template)).toMatchObject({ ok: false, problem });
  });

  test('draws the line at exactly a million combinations', () => {
    expect(pattern('A-######', 'digits').combinations).toBe(1_000_000n);
    expect(parsePattern('A-#####', 'digits')).toEqual({
      ok: false,
      problem: 'too-few-combinations',
      message:
        'a pattern needs at least 1000000 combinations; this one has 100000: with 10 symbols use at least 6 "#", or name more symbols',
    });
  });

  test('every code of a pattern is a valid code, and matching it gives its numerals back', () => {
    fc.assert(
      fc.property(anyPattern, fc.infiniteStream(fc.nat()), (any, numbers) => {
        const numerals = Uint8Array.from(any.placeholders, () => numbers.next().value! % any.alphabet.length);
        const [code] = formatCodes(any, numerals);
        expect(checkCode(code!)).toEqual({ ok: true, code });
        expect(matchPattern(any, code!)).toEqual({ code, numerals });
      }),
    );
  });
});

describe('formatting', () => {
  test('puts the symbols at the placeholders, code after code', () => {
    const p = pattern('A#-#####Z', 'digits');
    expect(formatCodes(p, Uint8Array.of(1, 2, 3, 4, 5, 6, 9, 8, 7, 6, 5, 4))).toEqual(['A1-23456Z', 'A9-87654Z']);
    expect(formatCodes(p, new Uint8Array(0))).toEqual([]);
  });

  test('refuses numerals that are no code', () => {
    const p = pattern('######', 'digits');
    expect(() => formatCodes(p, new Uint8Array(5))).toThrow(RangeError);
    expect(() => formatCodes(p, Uint8Array.of(0, 0, 0, 0, 0, 10))).toThrow(RangeError);
  });
});

describe('folding', () => {
  test('O reads as 0, I and L as 1, at placeholders of an alphabet without these letters', () => {
    expect(matchPattern(pattern('BF26-####-####'), 'BF26-OIL7-OOOO')?.code).toBe('BF26-0117-0000');
    expect(matchPattern(pattern('##########', 'digits'), 'OIL3456789')?.code).toBe('0113456789');
  });

  test('leaves the literals of a pattern alone', () => {
    const solo = pattern('SOLO-######');
    expect(matchPattern(solo, 'SOLO-O00000')?.code).toBe('SOLO-000000');
    expect(matchPattern(solo, 'S0L0-000000')).toBeNull();
    expect(matchPattern(solo, 'SO1O-000000')).toBeNull();
    expect(matchPattern(pattern('1010-######'), 'IOIO-000000')).toBeNull();
  });

  test('leaves a letter alone that the alphabet has', () => {
    const all = pattern('########', ALL_SYMBOLS);
    expect(matchPattern(all, 'OIL0110A')?.code).toBe('OIL0110A');
    expect(matchPattern(pattern('#############', '0OA'), 'O0OAAAAAAAAAA')?.code).toBe('O0OAAAAAAAAAA');
  });

  test('folds each letter by itself: with L in the alphabet, I still reads as 1', () => {
    expect(matchPattern(pattern('#############', '01L'), 'ILO0000000000')?.code).toBe('1L00000000000');
  });

  test('does not fold to a digit that the alphabet lacks', () => {
    const letters = pattern('########', 'ABCDEFGHJK');
    expect(matchPattern(letters, 'OAAAAAAA')).toBeNull();
    expect(matchPattern(letters, 'IAAAAAAA')).toBeNull();
  });

  test('a folded code reads as itself', () => {
    fc.assert(
      fc.property(
        anyPattern.chain((p) => anyTypedText(p).map((text) => ({ p, text }))),
        ({ p, text }) => {
          const match = matchPattern(p, text);
          expect(match).not.toBeNull();
          expect(matchPattern(p, match!.code)).toEqual(match);
        },
      ),
    );
  });
});

describe('matching', () => {
  test.each([
    '',
    'BF26-0000',
    'BF26-0000-00000',
    'BF27-0000-0000',
    'BF26_0000-0000',
    'BF26-000U-0000',
    'BF26-000é-0000',
  ])('%j is no code of BF26-####-####', (text) => {
    expect(matchPattern(pattern('BF26-####-####'), text)).toBeNull();
  });

  test('the regular expression of a pattern matches what the rules match, and nothing else', () => {
    const anyText = fc.string({ unit: fc.constantFrom(...'0O1IL9AUZ-'), minLength: 9, maxLength: 9 });
    const withText = anyPattern.chain((p) => fc.oneof(anyText, anyTypedText(p)).map((text) => ({ p, text })));
    fc.assert(
      fc.property(withText, ({ p, text }) => {
        expect(new RegExp(patternExpression(p)).test(text)).toBe(matchPattern(p, text) !== null);
      }),
    );
  });
});

describe('two patterns', () => {
  test.each([
    ['the same pattern', 'BF26-######', 'crockford32', 'bf26-######', 'crockford32'],
    ['a wider alphabet', 'BF26-######', 'digits', 'BF26-######', 'crockford32'],
    ['a literal that is one of the symbols', 'BF26-######', 'digits', 'BF2#-######', 'digits'],
    ['a literal that is typed for one of the symbols', 'O-######', 'digits', '#-######', 'digits'],
    ['alphabets that meet only in a folded letter', '########', '0ABCDEFGHK', '########', 'OPQRSTVWXYZ'],
    ['placeholders in different places', '1######', 'digits', '######1', 'digits'],
    ['alphabets that fold the same letter', '########', '1ABCDEFGHK', '########', '1PQRSTVWXYZ'],
    ['letters that fold to different symbols', '######', '1ABCDEFGHK', '######', 'IPQRSTVWXYZ'],
  ])('overlap: %s', (_, templateA, alphabetA, templateB, alphabetB) => {
    expect(patternsOverlap(pattern(templateA, alphabetA), pattern(templateB, alphabetB))).toBe(true);
  });

  test.each([
    ['another length', 'BF26-######', 'digits', 'BF26-#######', 'digits'],
    ['another literal', 'BF26-######', 'digits', 'BF27-######', 'digits'],
    ['literals that would fold but are no placeholders', 'BO-######', 'digits', 'B0-######', 'digits'],
    ['a literal outside the alphabet', 'A######', 'digits', '#######', 'digits'],
    ['alphabets without a common symbol', '######', 'ABCDEFGHJK', '######', '23456789MN'],
  ])('do not overlap: %s', (_, templateA, alphabetA, templateB, alphabetB) => {
    expect(patternsOverlap(pattern(templateA, alphabetA), pattern(templateB, alphabetB))).toBe(false);
  });

  test('overlap or not in either order alike, and each overlaps itself', () => {
    fc.assert(
      fc.property(anyPattern, anyPattern, (a, b) => {
        expect(patternsOverlap(a, b)).toBe(patternsOverlap(b, a));
        expect(patternsOverlap(a, a)).toBe(true);
      }),
    );
  });

  test('that do not overlap never share a typed text, and so no code', () => {
    const withText = fc
      .tuple(anyPattern, anyPattern)
      .filter(([a, b]) => !patternsOverlap(a, b))
      .chain(([a, b]) => anyTypedText(a).map((text) => ({ a, b, text })));
    fc.assert(
      fc.property(withText, ({ a, b, text }) => {
        expect(matchPattern(b, text)).toBeNull();
        expect(matchPattern(b, matchPattern(a, text)!.code)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  test('that overlap share a typed text', () => {
    const overlapping = fc.tuple(anyPattern, anyPattern).filter(([a, b]) => patternsOverlap(a, b));
    fc.assert(
      fc.property(overlapping, ([a, b]) => {
        const shared = [...a.template].map((_, at) =>
          typedCharacters(a, at).find((c) => typedCharacters(b, at).includes(c)),
        );
        expect(matchPattern(a, shared.join(''))).not.toBeNull();
        expect(matchPattern(b, shared.join(''))).not.toBeNull();
      }),
    );
  });

  test('are the same when template and symbols are, in whatever case and order', () => {
    expect(isSamePattern(pattern('bf-######', 'digits'), pattern('BF-######', '9876543210'))).toBe(true);
    expect(isSamePattern(pattern('BF-######', 'digits'), pattern('BF-######', 'crockford32'))).toBe(false);
    expect(isSamePattern(pattern('BF-######', 'digits'), pattern('BG-######', 'digits'))).toBe(false);
  });
});

describe('guess odds', () => {
  test('of a million codes of eight crockford symbols are one in 1,100,000 for people', () => {
    const odds = guessOdds(pattern('BF26-####-####'), 1_000_000);
    expect(odds).toEqual({ oneIn: 1_099_511n, rounded: 1_100_000, guessable: false });
  });

  test.each([
    [1_000_000, 1n, 1],
    [10_000, 100n, 100],
    [1_000, 1_000n, 1_000],
    [7, 142_857n, 140_000],
    [3, 333_333n, 330_000],
    [8, 125_000n, 130_000],
    [999_999, 1n, 1],
    [51, 19_607n, 20_000],
    [1_000_001, 0n, 0],
  ])('round to two digits: a million combinations over %i codes', (codes, oneIn, rounded) => {
    expect(guessOdds(pattern('######', 'digits'), codes)).toMatchObject({ oneIn, rounded });
  });

  test('are too good from just below one in a million', () => {
    const p = pattern('############', 'digits');
    expect(guessOdds(p, 1_000_000).guessable).toBe(false);
    expect(guessOdds(p, 1_000_001).guessable).toBe(true);
  });

  test('stay a JSON number for the longest pattern', () => {
    expect(guessOdds(pattern('#'.repeat(64), ALL_SYMBOLS), 1).rounded).toBe(4e99);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])('of %d codes are a mistake', (codes) => {
    expect(() => guessOdds(pattern('########'), codes)).toThrow(RangeError);
  });
});

describe('room for more codes', () => {
  const million = pattern('######', 'digits');

  test('ends exactly at the last combination', () => {
    expect(checkRoom(million, 999_999, 1, true)).toMatchObject({ ok: true, odds: { oneIn: 1n } });
    expect(checkRoom(million, 999_999, 2, true)).toMatchObject({ ok: false, problem: 'combinations-run-out' });
    expect(checkRoom(million, 1_000_000, 1, true)).toMatchObject({ ok: false, problem: 'combinations-run-out' });
  });

  test('counts the codes made before towards the odds', () => {
    const p = pattern('############', 'digits');
    expect(checkRoom(p, 0, 1_000_000, false)).toMatchObject({ ok: true });
    expect(checkRoom(p, 1, 1_000_000, false)).toMatchObject({ ok: false, problem: 'too-guessable' });
    expect(checkRoom(p, 1, 1_000_000, true)).toMatchObject({ ok: true, odds: { guessable: true } });
  });
});
