import type { Static } from 'typebox';
import type * as answers from '../../api/schemas/answers.ts';

/** What the API answers, as it declares it itself: the console has no shapes of its own. */
export type Book = Static<typeof answers.Book>;
export type BookCounts = Static<typeof answers.BookCounts>;
export type CodeLookUp = Static<typeof answers.CodeLookUp>;
export type Coupon = Static<typeof answers.Coupon>;
export type CouponEvent = Static<typeof answers.CouponEvent>;
export type Deck = Static<typeof answers.Deck>;
export type GeneratedDeck = Static<typeof answers.GeneratedDeck>;
export type Redemption = Static<typeof answers.Redemption>;
export type UploadedDeck = Static<typeof answers.UploadedDeck>;
export type ApiKey = Static<typeof answers.ApiKey>;
export type NewApiKey = Static<typeof answers.NewApiKey>;

/** A page of a list. */
export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}
