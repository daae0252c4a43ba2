import { type Static, Type } from 'typebox';
import { label, reason, strictObject } from '../input/shapes.ts';
import { limits } from '../limits.ts';

/** What an upload may call its deck. It is kept as it is, and told to those who may see the book's decks. */
export const DeckName = Type.Unsafe<string>({
  ...label(limits.deckNameMaxChars, 'summer-codes.csv'),
  description: 'A text that is not blank, such as the name of the file.',
});

/** Why a deck is voided. */
export const VoidDeckInput = strictObject(
  { reason: reason('Why. The deck keeps it.') },
  { examples: [{ reason: 'The file went round' }] },
);
export type VoidDeckInput = Static<typeof VoidDeckInput>;
