import { type Static, Type } from 'typebox';
import { Id, nullable } from '../input/shapes.ts';
import { limits } from '../limits.ts';
import { Rejection } from './rejections.ts';

/** What came of an upload. The codes are there all together, from one moment on. */
export const UploadedDeck = Type.Object({
  deckId: nullable({ ...Id, description: 'The deck; null where no row was taken, and none made.' }),
  accepted: Type.Integer({ minimum: 0, description: 'Codes that are in the book now.' }),
  rejected: Type.Integer({ minimum: 0, description: 'Rows that were not taken.' }),
  duplicates: Type.Integer({ minimum: 0, description: 'Those of them whose code was there already.' }),
  rejections: Type.Array(Rejection, {
    description: `The first ${limits.uploadMaxRejectionsNamed} rows that were not taken.`,
  }),
  mistakes: Type.Optional(
    Type.Array(Rejection, {
      description: `The first ${limits.uploadMaxRejectionsNamed} of them that are no duplicates. Only where duplicates leave no room for them all in \`rejections\`.`,
    }),
  ),
});
export type UploadedDeck = Static<typeof UploadedDeck>;
