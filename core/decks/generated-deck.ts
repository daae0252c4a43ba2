import { type Static, Type } from 'typebox';
import { Id, strictObject, withDefault } from '../input/shapes.ts';
import { limits } from '../limits.ts';

/** What to generate. */
export const GenerateInput = strictObject(
  {
    count: Type.Integer({ minimum: 1, maximum: limits.generatedDeckMaxCodes }),
    pattern: Type.String({
      minLength: 1,
      maxLength: limits.codeLengthMaxChars,
      description: `Each \`#\` stands for one symbol of the alphabet; the rest stands for itself. There must be ${limits.patternCombinationsMin} combinations or more.`,
      examples: ['BF26-####-####'],
    }),
    alphabet: Type.Optional(
      withDefault(
        Type.String({
          minLength: limits.alphabetMinSymbols,
          maxLength: 64,
          description:
            '`crockford32`, `digits`, or 2 to 36 distinct of A-Z and 0-9. Lower case is no symbol, and there are no other names.',
          examples: ['crockford32'],
        }),
        'crockford32',
      ),
    ),
    allowGuessable: Type.Optional(
      withDefault(
        Type.Boolean({
          description: `Take it even where more than one guess in ${limits.guessOddsMin} would be right.`,
        }),
        false,
      ),
    ),
  },
  { examples: [{ count: 100_000, pattern: 'BF26-####-####' }] },
);
export type GenerateInput = Static<typeof GenerateInput>;

/** A deck that was generated. */
export const GeneratedDeck = Type.Object({
  deckId: Id,
  count: Type.Integer(),
  pattern: Type.String({ description: 'In upper case.' }),
  example: Type.String({ description: 'How a code looks; it is not one of the deck.' }),
  guessOdds: Type.Number({
    description: 'One guess in so many is a code of this pattern, to two significant digits.',
  }),
});
export type GeneratedDeck = Static<typeof GeneratedDeck>;
