import { type Reply, type Window, windows } from './calls.ts';

/** A book as the model knows it. */
export interface ModelBook {
  status: 'draft' | 'active' | 'paused' | 'closed';
  window: Window;
  publicCode: string | null;
  timeZone: string;
  maxCodesPerUser: number | null;
  maxRedemptionsPerCode: number | null;
  maxRedemptionsPerUser: number | null;
  maxRedemptions: number | null;
  validForDays: number | null;
  requireLock: boolean;
  selfService: boolean;
  rev: number;
}

/**
 * One user in one book, as `<book> <user> <erasures before>`: what a user holds after an erasure is another holder's.
 */
export type HolderName = string;

export interface ModelCoupon {
  /** Null for a code that was voided before anyone had it. */
  holder: HolderName | null;
  assignedAt: string | null;
  maxRedemptions: number | null;
  /** The end of its own time; null: it has none. */
  validUntil: string | null;
  /** Its own time is over, or will be in some minutes: what the model can't tell, having no clock. */
  age: 'young' | 'old' | 'over';
  redemptions: number;
  rev: number;
  /** The number of the last redemption, given back or not. */
  lastSeq: number;
  /** The token of each grant of a lock, as it was given. */
  tokens: string[];
  /** The live lock's end, or null. */
  lockedUntil: string | null;
  voided: boolean;
  /** What happened to it, and who had it after that. */
  events: { kind: string; holder: HolderName | null }[];
}

export interface ModelCode {
  book: number;
  deckId: string;
  state: 'left' | 'void' | 'coupon';
  coupon: ModelCoupon | null;
}

export interface ModelRedemption {
  code: string;
  /** In whose hands it was made: it counts for that holder, wherever its coupon goes. */
  holder: HolderName;
  seq: number;
  at: string;
  reference: string | null;
  reversed: boolean;
}

/** Everything that the answers of a tenant depend on. Plain data, so that it can be copied. */
export interface ModelState {
  /** The books' public ids, for the answers. */
  bookIds: string[];
  books: ModelBook[];
  /** The decks by id, with their books. */
  decks: Record<string, number>;
  codes: Record<string, ModelCode>;
  redemptions: Record<string, ModelRedemption>;
  /** How often each user was erased. */
  erasures: Record<string, number>;
  keys: Record<string, { request: string; body: Record<string, unknown> }>;
}

/** What an answer has in it. */
export type Seen = Record<string, unknown>;
/** A refusal, and whether it applies. */
export type Check = [kind: string, applies: boolean];

/** An answer that was not given before. */
export function fresh(body: Record<string, unknown>): Reply {
  return { body, replayed: false };
}

/** The first refusal that applies, or null. */
export function firstOf(checks: Check[], rev?: number): { refused: string; rev?: number } | null {
  const check = checks.find(([, applies]) => applies);
  if (check === undefined) return null;
  return rev === undefined ? { refused: check[0] } : { refused: check[0], rev };
}

/** A moment that the model can't know: the one that was seen, if it is one. */
export function moment(seen: unknown): string {
  return typeof seen === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(seen) ? seen : 'a moment';
}

/** A user in a book, as it is now. */
export function holderOf(state: ModelState, book: number, userId: string): HolderName {
  return `${book} ${userId} ${state.erasures[userId] ?? 0}`;
}

/** Who that holder is; null once the user was erased. */
export function userOf(state: ModelState, holder: HolderName | null): string | null {
  const [, userId, erasures] = holder?.split(' ') ?? [];
  return userId !== undefined && Number(erasures) === (state.erasures[userId] ?? 0) ? userId : null;
}

/** A holder's coupons with their codes, voided ones too. */
export function couponsOf(state: ModelState, holder: HolderName): { code: string; coupon: ModelCoupon }[] {
  return Object.entries(state.codes).flatMap(([code, { coupon }]) =>
    coupon?.holder === holder ? [{ code, coupon }] : [],
  );
}

/** The codes of a book that nobody has had. */
export function codesLeft(state: ModelState, book: number): string[] {
  return Object.entries(state.codes).flatMap(([code, known]) =>
    known.book === book && known.state === 'left' ? [code] : [],
  );
}

/** The book that a public code is of, or null. */
export function publicBookOf(state: ModelState, code: string): number | null {
  const book = state.books.findIndex(({ publicCode }) => publicCode === code);
  return book === -1 ? null : book;
}

/**
 * The coupon that a public code means for a user: the one in the user's hands, else one of the user's that was voided.
 * @param isMeant which of several voided ones an answer was about, which is for the product to choose
 */
export function ownCoupon(
  state: ModelState,
  book: number,
  userId: string,
  isMeant: (code: string, coupon: ModelCoupon) => boolean = () => true,
): { code: string; coupon: ModelCoupon } | null {
  const all = couponsOf(state, holderOf(state, book, userId));
  const inHand = all.find(({ coupon }) => !coupon.voided);
  return inHand ?? all.find(({ code, coupon }) => isMeant(code, coupon)) ?? all[0] ?? null;
}

/** From when on a coupon can't be used; null: never. */
export function expiryOf({ window }: ModelBook, { validUntil }: ModelCoupon): string | null {
  const { endsAt } = windows[window];
  if (validUntil === null || endsAt === null) return validUntil ?? endsAt;
  return validUntil < endsAt ? validUntil : endsAt;
}

/** A coupon as answers show it. */
export function view(state: ModelState, code: string): Record<string, unknown> {
  const { book: index, coupon } = state.codes[code]!;
  const book = state.books[index]!;
  const { holder, rev, redemptions, maxRedemptions, assignedAt } = coupon!;
  // A lock ends with its book, whose end may have been moved since.
  const lockedUntil = book.window === 'past' ? null : coupon!.lockedUntil;
  return {
    code,
    ...(book.publicCode === null ? {} : { publicCode: book.publicCode }),
    bookId: state.bookIds[index],
    userId: userOf(state, holder),
    status: statusOf({ ...coupon!, lockedUntil }),
    rev,
    redemptions,
    maxRedemptions,
    lockedUntil,
    assignedAt,
    expiresAt: expiryOf(book, coupon!),
  };
}

function statusOf({ voided, redemptions, maxRedemptions, lockedUntil }: ModelCoupon): string {
  if (voided) return 'voided';
  if (maxRedemptions !== null && redemptions >= maxRedemptions) return 'redeemed';
  return lockedUntil === null ? 'assigned' : 'locked';
}

/** What a book's document counts. */
export function countsOf(state: ModelState, book: number) {
  const codes = Object.values(state.codes).filter((code) => code.book === book);
  const coupons = codes.flatMap(({ coupon }) => coupon ?? []);
  return {
    codes: codes.length,
    available: codes.filter(({ state }) => state === 'left').length,
    assigned: coupons.filter(({ voided }) => !voided).length,
    redemptions: coupons.reduce((sum, { redemptions }) => sum + redemptions, 0),
    voided: codes.filter(({ state }) => state === 'void').length + coupons.filter(({ voided }) => voided).length,
  };
}
