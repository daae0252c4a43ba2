import type { Static } from 'typebox';
// The API's own declarations: the console has no shapes of its own.
import type { Health as HealthAnswer } from '../../api/routes/console-health.ts';
import type * as answers from '../../api/schemas/answers.ts';

/** A book with its counts. */
export type Book = Static<typeof answers.Book>;
/** What a book allowed from a moment on. */
export type BookRevision = Static<typeof answers.BookRevision>;
/** A book’s counts at a moment. */
export type BookCounts = Static<typeof answers.BookCounts>;
/** Where a code is from, and what has become of it. */
export type CodeLookUp = Static<typeof answers.CodeLookUp>;
/** A code in a user’s hands. */
export type Coupon = Static<typeof answers.Coupon>;
/** One change of a coupon. */
export type CouponEvent = Static<typeof answers.CouponEvent>;
/** A list of codes of a book. */
export type Deck = Static<typeof answers.Deck>;
/** What came of generating. */
export type GeneratedDeck = Static<typeof answers.GeneratedDeck>;
/** What happened in a book, by the hour or day. */
export type Report = Static<typeof answers.Report>;
/** One use of a coupon. */
export type Redemption = Static<typeof answers.Redemption>;
/** What came of an upload. */
export type UploadedDeck = Static<typeof answers.UploadedDeck>;
/** An API key without its secret. */
export type ApiKey = Static<typeof answers.ApiKey>;
/** An API key with its secret, which is shown once. */
export type NewApiKey = Static<typeof answers.NewApiKey>;

/** Whether a redeem would succeed now. */
export type Validation = Static<typeof answers.Validation>;

/** Work in the background. */
export type Job = Static<typeof answers.Job>;
/** Who is told of events. */
export type Webhook = Static<typeof answers.Webhook>;
/** A webhook with its secret, which is shown once. */
export type NewWebhook = Static<typeof answers.NewWebhook>;
/** Something that a webhook was told, or is to be. */
export type Delivery = Static<typeof answers.Delivery>;
/** How the process that answers fares. */
export type Health = Static<typeof HealthAnswer>;

/** A page of a list. */
export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}
