import { Type } from 'typebox';
import { limits } from '../../../core/index.ts';
import { Code, Id, nullable, oneOf, strictObject, Time } from './common.ts';

/** Where a code is in its life. */
export const CodeStatus = oneOf(['available', 'assigned', 'locked', 'redeemed', 'voided'], { examples: ['available'] });

/** A code of a book. */
export const CodeItem = Type.Object(
  { code: Code, status: CodeStatus, deckId: Id, userId: nullable(Type.String()) },
  { $id: 'Code', description: 'A code of a book, and in whose hands it is.' },
);

/** A deck of a book. */
export const Deck = Type.Object(
  {
    id: Id,
    kind: oneOf(['generated', 'uploaded']),
    size: Type.Integer({ minimum: 0, description: 'All its codes. What is left is size - dealt - voided.' }),
    dealt: Type.Integer({ minimum: 0, description: 'Codes that were assigned to a user, in whatever state since.' }),
    voided: Type.Integer({ minimum: 0, description: 'Codes that were voided before anyone had them.' }),
    createdAt: Time,
  },
  { $id: 'Deck', description: 'A list of codes in random order, dealt from the top.' },
);

/** What generates codes. */
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
      Type.String({
        minLength: limits.alphabetMinSymbols,
        maxLength: 64,
        default: 'crockford32',
        description:
          '`crockford32`, `digits`, or 2 to 36 distinct of A-Z and 0-9. Lower case is no symbol, and there are no other names.',
        examples: ['crockford32'],
      }),
    ),
    allowGuessable: Type.Optional(
      Type.Boolean({
        default: false,
        description: `Take it even where more than one guess in ${limits.guessOddsMin} would be right.`,
      }),
    ),
  },
  { examples: [{ count: 100_000, pattern: 'BF26-####-####' }] },
);

/** What came of generating. */
export const GeneratedDeck = Type.Object(
  {
    deckId: Id,
    count: Type.Integer(),
    pattern: Type.String(),
    example: Type.String({ description: 'How a code looks; it is not one of the deck.' }),
    guessOdds: Type.Number({ description: 'One guess in so many is a code of this pattern.' }),
  },
  { $id: 'GeneratedDeck', description: 'A deck of generated codes, all there at once.' },
);

/** What came of an upload. */
export const UploadedDeck = Type.Object(
  {
    deckId: nullable({ ...Id, description: 'The deck; null where no row was taken, and none made.' }),
    accepted: Type.Integer({ minimum: 0, description: 'Codes that are in the book now.' }),
    rejected: Type.Integer({ minimum: 0, description: 'Rows that were not taken.' }),
    duplicates: Type.Integer({ minimum: 0, description: 'Those of them whose code was there already.' }),
    rejections: Type.Array(
      Type.Object({
        line: Type.Integer({ minimum: 1, description: 'From 1, the header included; in JSON the number of the code.' }),
        code: Type.String({ description: 'What stood there, cut to the length of a code.' }),
        reason: Type.String({
          description:
            '`broken-line`, `line-too-long`, `wrong-column-count`, `heading` (in JSON and NDJSON, what a column of codes is called), `code-too-short`, `code-too-long`, `code-has-invalid-character`, `belongs-to-pattern` (a generated deck could hold it), `duplicate-in-file`, or `duplicate-in-tenant` (uploaded before, in whatever book).',
          examples: ['duplicate-in-file'],
        }),
        hint: Type.Optional(Type.String({ description: 'How to mend it, where that is known.' })),
      }),
      { description: `The first ${limits.uploadMaxRejectionsNamed} rows that were not taken.` },
    ),
  },
  { $id: 'UploadedDeck', description: 'A deck of uploaded codes, and the rows that were not taken.' },
);
