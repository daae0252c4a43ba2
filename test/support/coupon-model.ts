import { type Call, type Reply, type Window, windows } from './coupon-model-calls.ts';

/** A book as the model knows it. */
export interface ModelBook {
  status: 'draft' | 'active' | 'paused' | 'closed';
  window: Window;
  maxCodesPerUser: number | null;
  maxRedemptionsPerCode: number | null;
  maxRedemptionsPerUser: number | null;
  maxRedemptions: number | null;
  requireLock: boolean;
  selfService: boolean;
  rev: number;
}

interface ModelCoupon {
  /** Names the user in the book until it is erased; null for a code that was voided before anyone had it. */
  holder: string | null;
  userId: string | null;
  assignedAt: string | null;
  maxRedemptions: number | null;
  redemptions: number;
  rev: number;
  /** The number of the last redemption, given back or not. */
  lastSeq: number;
  /** The token of each grant of a lock, as it was given. */
  tokens: string[];
  /** The live lock's end, or null. */
  lockedUntil: string | null;
  voided: boolean;
  events: string[];
}

interface ModelCode {
  book: number;
  deckId: string;
  state: 'left' | 'void' | 'coupon';
  coupon: ModelCoupon | null;
}

/** Everything that the answers of a tenant depend on. Plain data, so that it can be copied. */
export interface ModelState {
  /** The books' public ids, for the answers. */
  bookIds: string[];
  books: ModelBook[];
  /** The decks by id, with their books. */
  decks: Record<string, number>;
  codes: Record<string, ModelCode>;
  redemptions: Record<string, { code: string; reversed: boolean }>;
  /** How often each user was erased: what it holds afterwards is another holder's. */
  erasures: Record<string, number>;
  keys: Record<string, { request: string; body: Record<string, unknown> }>;
}

type Check = [kind: string, applies: boolean];

/**
 * Carries a call out on the model, which it changes, and returns the answer that the contract demands. What the model
 * can't know (which of the codes left was drawn, ids, moments) it takes from the answer that was given, once it has
 * seen that it is possible; where it is not, what is returned says what would be.
 */
export function answerOf(state: ModelState, call: Call, given: Reply): Reply {
  const seen = 'body' in given ? given.body : {};
  switch (call.op) {
    case 'patch':
      return patch(state, call, seen);
    case 'generate':
      return generate(state, call, given);
    case 'upload':
      return upload(state, call, seen);
    case 'voidDeck':
      return voidDeck(state, call, seen);
    case 'erase':
      return erase(state, call.userId);
    case 'draw':
      return once(state, call, () => draw(state, call, seen), forbidden(state, call));
    case 'drawBatch':
      return drawBatch(state, call, seen);
    case 'take':
      return once(state, call, () => take(state, call, seen));
    case 'void':
      return once(state, call, () => voidCode(state, call));
    case 'reverse':
      return once(state, call, () => reverse(state, call));
    case 'lock':
      return once(state, call, () => lock(state, call, seen));
    case 'unlock':
      return once(state, call, () => unlock(state, call));
    case 'redeem':
      return once(state, call, () => redeem(state, call, seen));
    case 'validate':
      return validate(state, call);
    case 'read':
      return read(state, call);
    case 'events':
      return events(state, call.code);
    case 'list':
      return list(state, call);
    case 'count':
      return fresh(countsOf(state, call.book));
    case 'expireLocks':
      return expireLocks(state, seen);
  }
}

type CallOf<Op extends Call['op']> = Call & { op: Op };
type Seen = Record<string, unknown>;

function fresh(body: Record<string, unknown>): Reply {
  return { body, replayed: false };
}

/** The first refusal that applies, or null. */
function firstOf(checks: Check[], rev?: number): Reply | null {
  const check = checks.find(([, applies]) => applies);
  if (check === undefined) return null;
  return rev === undefined ? { refused: check[0] } : { refused: check[0], rev };
}

/** A moment that the model can't know: the one that was seen, if it is one. */
function moment(seen: unknown): string {
  return typeof seen === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(seen) ? seen : 'a moment';
}

// Idempotency.

/** A repeat gets the first success again; another request under its key is refused; a refusal leaves the key free. */
function once(state: ModelState, call: Call & { key: string | null }, act: () => Reply, before?: Reply | null): Reply {
  if (call.key === null) return before ?? act();
  const { key, ...rest } = call;
  const scope = 'by' in call && call.by === 'customer' ? `customer ${call.userId}` : 'tenant';
  const name = `${scope} ${key}`;
  const request = JSON.stringify(rest);
  const known = state.keys[name];
  if (known !== undefined && known.request === request) return { body: { ...known.body }, replayed: true };
  if (before) return before;
  if (known !== undefined) return { refused: 'idempotency-key-reused' };
  const reply = act();
  if ('body' in reply) state.keys[name] = { request, body: { ...reply.body } };
  return reply;
}

// Books.

const ways: Record<ModelBook['status'], string[]> = {
  draft: ['active'],
  active: ['paused', 'closed'],
  paused: ['active', 'closed'],
  closed: [],
};

function patch(state: ModelState, { book: index, changes }: CallOf<'patch'>, seen: Seen): Reply {
  const before = state.books[index]!;
  const after = { ...before, ...changes };
  if (JSON.stringify(after) !== JSON.stringify(before)) {
    const moved = after.status !== before.status;
    if (before.status === 'closed' || (moved && !ways[before.status].includes(after.status))) {
      return { refused: 'conflict' };
    }
    after.rev += 1;
    state.books[index] = after;
  }
  const { window, ...terms } = after;
  return fresh({ ...seen, ...terms, ...windows[window], id: state.bookIds[index], counts: countsOf(state, index) });
}

function countsOf(state: ModelState, book: number) {
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

function assignChecks({ status, window }: ModelBook): Check[] {
  return [
    ['book-not-active', status !== 'active'],
    ['book-outside-window', window === 'past'],
  ];
}

function useChecks({ status, window }: ModelBook): Check[] {
  return [
    ['book-not-active', status !== 'active'],
    ['book-outside-window', window === 'past' || window === 'future'],
  ];
}

// Decks.

function generate(state: ModelState, { book, count }: CallOf<'generate'>, given: Reply): Reply {
  if (state.books[book]!.status === 'closed') return { refused: 'book-not-active' };
  if (!('body' in given)) return { refused: 'nothing: a deck was to come' };
  const codes = given.codes ?? [];
  const isNew = new Set(codes).size === count && codes.every((code) => state.codes[code] === undefined);
  addDeck(state, String(given.body.deckId), book, codes);
  return { body: { ...given.body, count: isNew ? count : `${count} new codes` }, replayed: false, codes };
}

function upload(state: ModelState, { book, codes }: CallOf<'upload'>, seen: Seen): Reply {
  if (state.books[book]!.status === 'closed') return { refused: 'book-not-active' };
  const accepted = [...new Set(codes)].filter((code) => state.codes[code] === undefined);
  addDeck(state, String(seen.deckId), book, accepted);
  const rejected = codes.length - accepted.length;
  return fresh({ deckId: seen.deckId, accepted: accepted.length, rejected, duplicates: rejected });
}

function addDeck(state: ModelState, deckId: string, book: number, codes: string[]): void {
  state.decks[deckId] = book;
  for (const code of codes) state.codes[code] = { book, deckId, state: 'left', coupon: null };
}

function voidDeck(state: ModelState, { deckId }: CallOf<'voidDeck'>, seen: Seen): Reply {
  const codes = Object.values(state.codes).filter((code) => code.deckId === deckId);
  for (const code of codes) if (code.state === 'left') code.state = 'void';
  const dealt = codes.filter(({ coupon }) => coupon !== null && coupon.holder !== null).length;
  return fresh({ ...seen, id: deckId, size: codes.length, dealt, voided: codes.length - dealt });
}

// Codes leaving their decks.

function holderOf(state: ModelState, book: number, userId: string): string {
  return `${book} ${userId} ${state.erasures[userId] ?? 0}`;
}

function couponsOf(state: ModelState, holder: string): ModelCoupon[] {
  return Object.values(state.codes).flatMap(({ coupon }) => (coupon?.holder === holder ? [coupon] : []));
}

function isAtCodeLimit(state: ModelState, book: number, userId: string): boolean {
  const { maxCodesPerUser } = state.books[book]!;
  if (maxCodesPerUser === null) return false;
  return couponsOf(state, holderOf(state, book, userId)).filter(({ voided }) => !voided).length >= maxCodesPerUser;
}

function forbidden(state: ModelState, { book, by }: CallOf<'draw'>): Reply | null {
  return by === 'customer' && !state.books[book]!.selfService ? { refused: 'forbidden' } : null;
}

function draw(state: ModelState, { book, userId }: { book: number; userId: string }, seen: Seen): Reply {
  const left = Object.entries(state.codes).filter(([, code]) => code.book === book && code.state === 'left');
  const refused = firstOf([
    ...assignChecks(state.books[book]!),
    ['user-limit-reached', isAtCodeLimit(state, book, userId)],
    ['no-codes-left', left.length === 0],
  ]);
  if (refused !== null) return refused;
  const drawn = left.find(([code]) => code === seen.code);
  if (drawn === undefined) return { refused: `nothing: one of ${left.map(([code]) => code).join(', ')} was to come` };
  return fresh(makeCoupon(state, drawn[0], userId, seen));
}

function drawBatch(state: ModelState, call: CallOf<'drawBatch'>, seen: Seen): Reply {
  const results = Array.isArray(seen.results) ? (seen.results as Record<string, unknown>[]) : [];
  return once(state, call, () => {
    const expected = call.userIds.map((userId, index) => {
      const result = results[index] ?? {};
      const reply = draw(state, { book: call.book, userId }, result);
      if ('body' in reply) return reply.body;
      const refusal = result.refusal as Record<string, unknown> | undefined;
      return { refusal: { ...refusal, kind: reply.refused } };
    });
    return fresh({ results: expected });
  });
}

function take(state: ModelState, { code, userId }: CallOf<'take'>, seen: Seen): Reply {
  const known = state.codes[code];
  if (known === undefined) return { refused: 'coupon-not-found' };
  const refused =
    firstOf(
      [
        ['coupon-void', known.state === 'void' || known.coupon?.voided === true],
        ['code-already-assigned', known.state === 'coupon'],
      ],
      known.coupon?.rev,
    ) ??
    firstOf([
      ...assignChecks(state.books[known.book]!),
      ['user-limit-reached', isAtCodeLimit(state, known.book, userId)],
    ]);
  return refused ?? fresh(makeCoupon(state, code, userId, seen));
}

function makeCoupon(state: ModelState, code: string, userId: string | null, seen: Seen) {
  const known = state.codes[code]!;
  known.state = 'coupon';
  known.coupon = {
    holder: userId === null ? null : holderOf(state, known.book, userId),
    userId,
    assignedAt: userId === null ? null : moment(seen.assignedAt),
    maxRedemptions: state.books[known.book]!.maxRedemptionsPerCode,
    redemptions: 0,
    rev: 1,
    lastSeq: 0,
    tokens: [],
    lockedUntil: null,
    voided: userId === null,
    events: [userId === null ? 'voided' : 'assigned'],
  };
  return view(state, code);
}

// Coupons.

function view(state: ModelState, code: string) {
  const { book, coupon } = state.codes[code]!;
  const { userId, rev, redemptions, maxRedemptions, assignedAt } = coupon!;
  const { endsAt } = windows[state.books[book]!.window];
  // A lock ends with its book, whose end may have been moved since.
  const lockedUntil = endsAt === windows.past.endsAt ? null : coupon!.lockedUntil;
  return {
    code,
    bookId: state.bookIds[book],
    userId,
    status: statusOf({ ...coupon!, lockedUntil }),
    rev,
    redemptions,
    maxRedemptions,
    lockedUntil,
    assignedAt,
    expiresAt: endsAt,
  };
}

function statusOf({ voided, redemptions, maxRedemptions, lockedUntil }: ModelCoupon): string {
  if (voided) return 'voided';
  if (maxRedemptions !== null && redemptions >= maxRedemptions) return 'redeemed';
  return lockedUntil === null ? 'assigned' : 'locked';
}

/** The coupon, or why there is none for this caller. */
function find(
  state: ModelState,
  { code, userId, by }: { code: string; userId: string; by: 'admin' | 'customer' },
): { coupon: ModelCoupon; book: ModelBook; bookIndex: number } | Reply {
  const known = state.codes[code];
  const coupon = known?.coupon ?? null;
  if (by === 'customer' && (coupon === null || coupon.voided || coupon.userId !== userId)) {
    return { refused: 'coupon-not-found' };
  }
  if (coupon === null) return { refused: known?.state === 'void' ? 'coupon-void' : 'coupon-not-found' };
  return { coupon, book: state.books[known!.book]!, bookIndex: known!.book };
}

function ownChecks({ voided, userId }: ModelCoupon, asked: string): Check[] {
  return [
    ['coupon-void', voided],
    ['held-by-another-user', userId !== asked],
  ];
}

function lockChecks({ lockedUntil, tokens }: ModelCoupon, lockToken: string | null): Check[] {
  return [
    ['code-locked', lockedUntil !== null && lockToken !== tokens.at(-1)],
    ['lock-expired', lockedUntil === null && lockToken !== null],
  ];
}

function limitChecks(state: ModelState, coupon: ModelCoupon, book: ModelBook, index: number): Check[] {
  const { redemptions: ofBook } = countsOf(state, index);
  const ofHolder = couponsOf(state, coupon.holder ?? '').reduce((sum, { redemptions }) => sum + redemptions, 0);
  return [
    ['code-already-redeemed', coupon.maxRedemptions !== null && coupon.redemptions >= coupon.maxRedemptions],
    ['redemption-limit-reached', book.maxRedemptions !== null && ofBook >= book.maxRedemptions],
    ['user-limit-reached', book.maxRedemptionsPerUser !== null && ofHolder >= book.maxRedemptionsPerUser],
  ];
}

function change(state: ModelState, code: string, kind: string, fields: Partial<ModelCoupon>) {
  const { coupon } = state.codes[code]!;
  Object.assign(coupon!, fields, { rev: coupon!.rev + 1 });
  coupon!.events.push(kind);
  return view(state, code);
}

function lock(state: ModelState, call: CallOf<'lock'>, seen: Seen): Reply {
  const found = find(state, call);
  if (!('coupon' in found)) return found;
  const { coupon, book, bookIndex } = found;
  const refused = firstOf(
    [
      ...ownChecks(coupon, call.userId),
      ...useChecks(book),
      ...lockChecks(coupon, call.lockToken),
      ...limitChecks(state, coupon, book, bookIndex),
    ],
    coupon.rev,
  );
  if (refused !== null) return refused;
  const renewal = call.lockToken !== null;
  const lockedUntil = moment(seen.lockedUntil);
  const tokens = renewal ? coupon.tokens : [...coupon.tokens, grantedToken(coupon, seen.lockToken)];
  const body = change(state, call.code, renewal ? 'lock-renewed' : 'locked', { tokens, lockedUntil });
  return fresh({ ...body, lockToken: tokens.at(-1) });
}

/** The token of a new grant: the grant's number, then digits that nobody can tell before. */
function grantedToken({ tokens }: ModelCoupon, seen: unknown): string {
  const number = tokens.length + 1;
  const isPossible = typeof seen === 'string' && new RegExp(`^${number}\\d{10}$`).test(seen);
  return isPossible ? seen : `${number} and ten digits`;
}

function unlock(state: ModelState, call: CallOf<'unlock'>): Reply {
  const found = find(state, call);
  if (!('coupon' in found)) return found;
  const { coupon } = found;
  const refused = firstOf([...ownChecks(coupon, call.userId), ...lockChecks(coupon, call.lockToken)], coupon.rev);
  return refused ?? fresh(change(state, call.code, 'unlocked', { lockedUntil: null }));
}

function redeem(state: ModelState, call: CallOf<'redeem'>, seen: Seen): Reply {
  const found = find(state, call);
  if (!('coupon' in found)) return found;
  const { coupon, book, bookIndex } = found;
  const refused = firstOf(
    [
      ...ownChecks(coupon, call.userId),
      ...useChecks(book),
      ...lockChecks(coupon, call.lockToken),
      ['lock-required', book.requireLock && call.lockToken === null],
      ...limitChecks(state, coupon, book, bookIndex),
    ],
    coupon.rev,
  );
  if (refused !== null) return refused;
  const redemptions = coupon.redemptions + 1;
  const lastSeq = coupon.lastSeq + 1;
  const body = change(state, call.code, 'redeemed', { redemptions, lastSeq, lockedUntil: null });
  const made = (seen.redemption ?? {}) as Record<string, unknown>;
  const id = String(made.id);
  const isNew = state.redemptions[id] === undefined;
  state.redemptions[id] = { code: call.code, reversed: false };
  const redemption = {
    id: isNew ? id : 'a new id',
    seq: lastSeq,
    at: moment(made.at),
    reference: call.reference,
  };
  return fresh({ ...body, redemption });
}

function reverse(state: ModelState, { redemptionId }: CallOf<'reverse'>): Reply {
  const redemption = state.redemptions[redemptionId];
  if (redemption === undefined) return { refused: 'redemption-not-found' };
  const coupon = state.codes[redemption.code]!.coupon!;
  const refused = firstOf(
    [
      ['coupon-void', coupon.voided],
      ['conflict', redemption.reversed],
    ],
    coupon.rev,
  );
  if (refused !== null) return refused;
  redemption.reversed = true;
  return fresh(change(state, redemption.code, 'reversed', { redemptions: coupon.redemptions - 1 }));
}

function voidCode(state: ModelState, { code }: CallOf<'void'>): Reply {
  const known = state.codes[code];
  if (known === undefined) return { refused: 'coupon-not-found' };
  const refused = firstOf(
    [['coupon-void', known.state === 'void' || known.coupon?.voided === true]],
    known.coupon?.rev,
  );
  if (refused !== null) return refused;
  if (known.coupon === null) return fresh(makeCoupon(state, code, null, {}));
  return fresh(change(state, code, 'voided', { voided: true, lockedUntil: null }));
}

// Looks.

function validate(state: ModelState, call: CallOf<'validate'>): Reply {
  const found = find(state, call);
  if (!('coupon' in found)) return found;
  const { coupon, book, bookIndex } = found;
  const refused = firstOf([
    ...ownChecks(coupon, call.userId),
    ...useChecks(book),
    ...lockChecks(coupon, null),
    ['lock-required', book.requireLock],
    ...limitChecks(state, coupon, book, bookIndex),
  ]);
  const { rev } = coupon;
  return fresh(
    refused === null
      ? { redeemable: true, rev }
      : { redeemable: false, reason: 'refused' in refused && refused.refused, rev },
  );
}

function read(state: ModelState, call: CallOf<'read'>): Reply {
  const found = find(state, call);
  return 'coupon' in found ? fresh(view(state, call.code)) : found;
}

function events(state: ModelState, code: string): Reply {
  const coupon = state.codes[code]?.coupon ?? null;
  if (coupon === null) return { refused: 'coupon-not-found' };
  return fresh({ data: coupon.events.map((kind, index) => ({ rev: index + 1, kind, userId: coupon.userId })) });
}

function list(state: ModelState, { userId, by }: CallOf<'list'>): Reply {
  const codes = Object.entries(state.codes)
    .filter(([, { coupon }]) => coupon !== null && coupon.userId === userId && (by === 'admin' || !coupon.voided))
    .map(([code]) => code)
    .sort();
  return fresh({ data: codes.map((code) => view(state, code)), nextCursor: null });
}

// What ends.

function erase(state: ModelState, userId: string): Reply {
  const erased = new Set<string>();
  for (const [code, { coupon }] of Object.entries(state.codes)) {
    if (coupon === null || coupon.userId !== userId) continue;
    coupon.userId = null;
    erased.add(code);
  }
  state.erasures[userId] = (state.erasures[userId] ?? 0) + 1;
  // A replay is made from the coupon's event, in which the user and what was written beside it are gone.
  const forget = (body: Record<string, unknown>): Record<string, unknown> => {
    if (Array.isArray(body.results)) return { ...body, results: body.results.map(forget) };
    if (!erased.has(String(body.code)) || body.userId !== userId) return body;
    const { redemption } = body;
    return {
      ...body,
      userId: null,
      ...(redemption === undefined ? {} : { redemption: { ...redemption, reference: null } }),
    };
  };
  for (const known of Object.values(state.keys)) known.body = forget(known.body);
  return fresh({});
}

/** A replay of the request that a lock stands in shows when the lock ended, which is now. */
function expireLocks(state: ModelState, seen: Seen): Reply {
  const expired = Object.entries(state.codes).flatMap(([code, { coupon }]) => {
    if (coupon === null || coupon.lockedUntil === null) return [];
    coupon.lockedUntil = null;
    return [{ code, rev: coupon.rev }];
  });
  const found = (seen.expired ?? []) as { code: string; rev: number; lockedUntil: string }[];
  const moments = expired.map(({ code, rev }) => {
    const row = found.find((candidate) => candidate.code === code && candidate.rev === rev);
    return { code, rev, lockedUntil: moment(row?.lockedUntil) };
  });
  for (const { code, rev, lockedUntil } of moments) {
    for (const known of Object.values(state.keys)) {
      if (known.body.code === code && known.body.rev === rev) known.body = { ...known.body, lockedUntil };
    }
  }
  const order = (row: { code: string }) => found.findIndex(({ code }) => code === row.code);
  return fresh({ expired: moments.sort((a, b) => order(a) - order(b)) });
}
