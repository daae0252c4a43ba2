import { type Static, Type } from 'typebox';
import { Code, Id, nullable, oneOf } from '../input/shapes.ts';

/** Where a code is in its life; `available`: it can still be dealt. */
export const CodeStatus = oneOf(['available', 'assigned', 'locked', 'redeemed', 'voided'], { examples: ['available'] });
export type CodeStatus = Static<typeof CodeStatus>;

/** A code as lists and exports show it. `userId` is null where nobody has it, and once its holder was erased. */
export const CodeView = Type.Object({
  code: Code,
  status: CodeStatus,
  deckId: Id,
  userId: nullable(Type.String()),
});
export type CodeView = Static<typeof CodeView>;
