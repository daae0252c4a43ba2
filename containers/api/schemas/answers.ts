import { Type } from 'typebox';
import * as core from '../../../core/index.ts';
import { named, ref } from './common.ts';
import { ProblemSchema } from './problem.ts';

/** A book. */
export const Book = named(core.BookDocument, 'Book', 'A campaign with its rules and counts.');

/** A book's counts at a moment. */
export const BookCounts = named(
  core.CountsView,
  'BookCounts',
  'How many codes and redemptions a book had at a moment.',
);

/** A book as a change of it left it. */
export const BookRevision = named(core.BookRevision, 'BookRevision', 'What a book allowed from a moment on.');

/** A book's events by the hour or day. */
export const Report = named(core.ReportView, 'Report', 'What happened in a book, by the hour or day of its zone.');

/** A code of a book. */
export const CodeItem = named(core.CodeView, 'Code', 'A code of a book, and in whose hands it is.');

/** A deck of a book. */
export const Deck = named(core.DeckView, 'Deck', 'A list of codes in random order, dealt from the top.');

/** What came of generating. */
export const GeneratedDeck = named(
  core.GeneratedDeck,
  'GeneratedDeck',
  'A deck of generated codes, all there at once.',
);

/** What came of an upload. */
export const UploadedDeck = named(
  core.UploadedDeck,
  'UploadedDeck',
  'A deck of uploaded codes, and the rows that were not taken.',
);

/** A coupon. */
export const Coupon = named(core.CouponView, 'Coupon', 'A code in a user’s hands.');

/** A code that was looked up. */
export const CodeLookUp = named(
  Type.Object({
    ...core.codeStandingFields,
    coupon: Type.Union([ref(Coupon), Type.Null({ description: 'Nobody has had the code.' })]),
  }),
  'CodeLookUp',
  'Where a code is from, and what has become of it.',
);

/** A coupon just locked. */
export const LockedCoupon = named(core.LockedCouponView, 'LockedCoupon', 'The coupon, with the token of its lock.');

/** A coupon just redeemed. */
export const RedeemedCoupon = named(core.RedeemedCouponView, 'RedeemedCoupon', 'The coupon, with its redemption.');

/** A redemption. */
export const Redemption = named(core.RedemptionView, 'Redemption', 'One use of a coupon.');

/** A job. */
export const Job = named(core.JobDocument, 'Job', 'Work in the background, and how far it is.');

/** One change of a coupon. */
export const CouponEvent = named(core.CouponEvent, 'CouponEvent', 'One change of a coupon.');

/** What a redeem would come to now. */
export const Validation = named(core.Validation, 'Validation', 'Whether a redeem would succeed now.');

/** An API key without its secret. */
export const ApiKey = named(
  core.ApiKeyDocument,
  'ApiKey',
  'An API key. Its secret is shown once, when the key is made.',
);

/** An API key just made. */
export const NewApiKey = named(core.CreatedApiKey, 'NewApiKey', 'An API key with its secret.');

/** A webhook without its secret. */
export const Webhook = named(core.WebhookDocument, 'Webhook', 'Who is told of events, and of which.');

/** A webhook with a secret just made. */
export const NewWebhook = named(core.WebhookWithSecret, 'NewWebhook', 'A webhook with its new secret.');

/** Something that a webhook was told. */
export const Delivery = named(core.DeliveryDocument, 'Delivery', 'Something that a webhook was told, or is to be.');

/** A replay that was asked for. */
export const Replay = named(core.ReplayDocument, 'Replay', 'A span of time whose events are sent again.');

/** What is sent to webhooks. */
export const WebhookEvent = named(core.WebhookEvent, 'WebhookEvent', 'The body of what is sent to a webhook.');

/** What is told of a coupon. */
export const CouponEventData = named(core.CouponEventData, 'CouponEventData', 'The coupon right after the event.');

/** What is told of a book. */
export const BookEventData = named(core.BookEventData, 'BookEventData', 'The book, and what has come to be of it.');

/** What is told of a job. */
export const JobEventData = named(core.JobEventData, 'JobEventData', 'A job that has ended.');

/** What is told of a test. */
export const TestEventData = named(core.TestEventData, 'TestEventData', 'The webhook that is tested.');

/** A tenant just made. */
export const NewTenant = named(
  Type.Object({ ...core.CreatedTenant.properties, adminKey: ref(NewApiKey) }),
  'NewTenant',
  'A tenant with its first admin key, whose secret is shown this once.',
);

/** What came of an assign to many users, in the order of the request. */
export const AssignBatchResults = named(
  Type.Object({ results: Type.Array(Type.Union([ref(Coupon), ref(ProblemSchema)])) }),
  'AssignBatchResults',
  'For each user in order: the coupon, or why there is none.',
);

/**
 * Every schema that routes refer to by its name in the OpenAPI document. What the core answers is declared there, where
 * the answers are made.
 */
export const schemas = [
  ProblemSchema,
  Book,
  BookCounts,
  Report,
  BookRevision,
  CodeItem,
  Deck,
  GeneratedDeck,
  UploadedDeck,
  Coupon,
  CodeLookUp,
  LockedCoupon,
  RedeemedCoupon,
  Redemption,
  Job,
  CouponEvent,
  AssignBatchResults,
  Validation,
  ApiKey,
  NewApiKey,
  Webhook,
  NewWebhook,
  Delivery,
  Replay,
  WebhookEvent,
  CouponEventData,
  BookEventData,
  JobEventData,
  TestEventData,
  NewTenant,
];
