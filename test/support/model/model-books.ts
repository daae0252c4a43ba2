import { type CallOf, type Reply, windows } from './calls.ts';
import {
  countsOf,
  firstOf,
  fresh,
  type ModelBook,
  type ModelState,
  publicBookOf,
  type Seen,
  userOf,
} from './model-state.ts';

const ways: Record<ModelBook['status'], string[]> = {
  draft: ['active'],
  active: ['paused', 'closed'],
  paused: ['active', 'closed'],
  closed: [],
};

/** Changes a book. */
export function patch(state: ModelState, { book: index, changes }: CallOf<'patch'>, seen: Seen): Reply {
  const before = state.books[index]!;
  const after = { ...before, ...changes };
  if (JSON.stringify(after) !== JSON.stringify(before)) {
    const moved = after.status !== before.status;
    const refused = firstOf([
      ['conflict', before.status === 'closed' || (moved && !ways[before.status].includes(after.status))],
    ]);
    if (refused !== null) return refused;
    after.rev += 1;
    state.books[index] = after;
  }
  const { window, ...terms } = after;
  return fresh({ ...seen, ...terms, ...windows[window], id: state.bookIds[index], counts: countsOf(state, index) });
}

/** Generates codes, which the model can't know before. */
export function generate(state: ModelState, { book, count }: CallOf<'generate'>, given: Reply): Reply {
  if (state.books[book]!.status === 'closed') return { refused: 'book-not-active' };
  if (!('body' in given)) return { refused: 'nothing: a deck was to come' };
  const codes = given.codes ?? [];
  const isNew = new Set(codes).size === count && codes.every((code) => state.codes[code] === undefined);
  addDeck(state, String(given.body.deckId), book, codes);
  return { body: { ...given.body, count: isNew ? count : `${count} new codes` }, replayed: false, codes };
}

/** Uploads codes; those of the tenant are taken already, the public ones among them. */
export function upload(state: ModelState, { book, codes }: CallOf<'upload'>, seen: Seen): Reply {
  if (state.books[book]!.status === 'closed') return { refused: 'book-not-active' };
  const isNew = (code: string) => state.codes[code] === undefined && publicBookOf(state, code) === null;
  const accepted = [...new Set(codes)].filter(isNew);
  const deckId = accepted.length === 0 ? null : seen.deckId;
  if (accepted.length > 0) addDeck(state, String(deckId), book, accepted);
  const rejected = codes.length - accepted.length;
  return fresh({ deckId, accepted: accepted.length, rejected, duplicates: rejected });
}

function addDeck(state: ModelState, deckId: string, book: number, codes: string[]): void {
  state.decks[deckId] = book;
  for (const code of codes) state.codes[code] = { book, deckId, state: 'left', coupon: null };
}

/** Voids what is left of a deck. */
export function voidDeck(state: ModelState, { deckId }: CallOf<'voidDeck'>, seen: Seen): Reply {
  const codes = Object.values(state.codes).filter((code) => code.deckId === deckId);
  for (const code of codes) if (code.state === 'left') code.state = 'void';
  const dealt = codes.filter(({ coupon }) => coupon !== null && coupon.holder !== null).length;
  return fresh({ ...seen, id: deckId, size: codes.length, dealt, voided: codes.length - dealt });
}

/** Forgets a user: coupons and redemptions stay, and what the user wrote is gone. */
export function erase(state: ModelState, userId: string): Reply {
  state.erasures[userId] = (state.erasures[userId] ?? 0) + 1;
  for (const redemption of Object.values(state.redemptions)) {
    if (userOf(state, redemption.holder) === null) redemption.reference = null;
  }
  // A replay is made from the coupon's event, in which the user and what was written beside it are gone.
  const forget = (body: Record<string, unknown>): Record<string, unknown> => {
    if (Array.isArray(body.results)) return { ...body, results: body.results.map(forget) };
    if (body.userId !== userId) return body;
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
