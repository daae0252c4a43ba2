import type { Call } from './calls.ts';
import type { CodeRef, Command, CouponOp, TokenRef, Typing, UserRef } from './commands.ts';
import { type ModelCoupon, type ModelState, ownCoupon, publicBookOf, userOf } from './model-state.ts';

/** What has been called before, for repeats. */
export interface History {
  /** Every state that explains what was answered; commands are filled in from the first. */
  states: ModelState[];
  keyed: Call[];
}

/** The state from which commands are filled in. */
export function stateOf({ states }: History): ModelState {
  return states[0]!;
}

/** The call that a command means, of what there is; null: there is nothing to repeat. */
export function fillCommand(history: History, command: Command): Call | null {
  const state = stateOf(history);
  switch (command.op) {
    case 'repeat':
      return pick(history.keyed, command.index) ?? null;
    case 'upload':
      return { op: 'upload', book: command.book, codes: command.codes.map((code) => uploadedCode(state, code)) };
    case 'voidDeck': {
      const [deckId, book] = pick(Object.entries(state.decks), command.deck)!;
      return { op: 'voidDeck', book, deckId };
    }
    case 'erase':
      return { op: 'erase', userId: command.user };
    case 'draw': {
      const { op, book, user, by, key } = command;
      return { op, book, userId: user, by, key };
    }
    case 'drawBatch':
      return { op: 'drawBatch', book: command.book, userIds: command.users, key: command.key };
    case 'take': {
      const { op, user, key } = command;
      return { op, ...codeOf(state, command), userId: user, key };
    }
    case 'transfer': {
      const { op, user, reason, key } = command;
      return { op, ...codeOf(state, command), userId: user, reason, key };
    }
    case 'void':
    case 'forceUnlock': {
      const { op, reason, key } = command;
      return { op, ...codeOf(state, command), reason, key };
    }
    case 'reverse': {
      const redemptionId = pick(Object.keys(state.redemptions), command.redemption);
      const nowhere = '019fffff-0000-7000-8000-000000000000';
      return { op: 'reverse', redemptionId: redemptionId ?? nowhere, key: command.key };
    }
    case 'lock':
    case 'unlock':
    case 'redeem':
    case 'validate':
    case 'read':
      return couponCallOf(state, command);
    case 'events':
      return { op: 'events', code: refersTo(state, command.code) };
    case 'list':
      return { op: 'list', userId: command.user, by: command.by };
    case 'redemptions': {
      const { op, book, user, code, extra, limit } = command;
      const reference = referenceOf(extra);
      return { op, book, userId: user, code: code === null ? null : refersTo(state, code), reference, limit };
    }
    default:
      return command;
  }
}

function couponCallOf(state: ModelState, command: Command & { op: CouponOp }): Call {
  const { op, by, key, extra } = command;
  const named = codeOf(state, command);
  const userId = userIdOf(state, command.user, named.code, command.code.index);
  const lockToken = tokenOf(couponOf(state, named.code, userId), command.token);
  switch (op) {
    case 'lock':
      // A quarter of an hour and more: no lock runs out by itself while a sequence runs.
      return { op, ...named, userId, by, lockToken, ttlSeconds: extra === null ? null : 900 + extra, key };
    case 'unlock':
      return { op, ...named, userId, by, lockToken: lockToken ?? '0', key };
    case 'redeem':
      return { op, ...named, userId, by, lockToken, reference: referenceOf(extra), key };
    default:
      return { op, ...named, userId, by };
  }
}

function pick<T>(items: T[], index: number): T | undefined {
  return items.length === 0 ? undefined : items[index % items.length];
}

/** One more than there are is the public code, which no upload may bring. */
function uploadedCode(state: ModelState, number: number): string {
  return number < 10 ? `UP-000${number}` : (publicCodeOf(state) ?? 'UP-0000');
}

function referenceOf(extra: number | null): string | null {
  return extra === null ? null : `order ${extra}`;
}

function publicCodeOf(state: ModelState): string | null {
  return state.books.find(({ publicCode }) => publicCode !== null)?.publicCode ?? null;
}

function codeOf(state: ModelState, command: { code: CodeRef; typing: Typing }): { code: string; typed?: string } {
  const code = refersTo(state, command.code);
  return command.typing === 'as kept' ? { code } : { code, typed: typedAs(code, command.typing) };
}

function refersTo(state: ModelState, { among, index }: CodeRef): string {
  if (among === 'public') return publicCodeOf(state) ?? 'NO-SUCH-CODE';
  const codes = Object.entries(state.codes);
  if (among === 'locked') {
    const locked = codes.filter(([, { coupon }]) => coupon !== null && coupon.lockedUntil !== null);
    return pick(locked, index)?.[0] ?? refersTo(state, { among: 'held', index });
  }
  const wanted = codes.filter(([, code]) => among === 'all' || (among === 'held') === (code.coupon?.voided === false));
  const found = among === 'unknown' ? undefined : pick(wanted, index);
  return found?.[0] ?? 'NO-SUCH-CODE';
}

/** Another spelling of the same code. Only what was generated has O for 0, and I and L for 1. */
function typedAs(code: string, typing: Typing): string {
  switch (typing) {
    case 'in lower case':
      return code.toLowerCase();
    case 'with white space':
      return `  ${code.slice(0, 3)}\u200b${code.slice(3)}\t`;
    case 'with other dashes':
      return code.replace('-', '–').replace('-', '‐');
    case 'with lookalikes':
      return /^(AAA|BB|PU)-/.test(code) ? code.replaceAll('0', 'o').replace('1', 'I').replaceAll('1', 'l') : code;
    default:
      return code;
  }
}

/** A public code is anybody's. */
function userIdOf(state: ModelState, user: UserRef, code: string, index: number): string {
  if (user !== 'holder') return user;
  if (publicBookOf(state, code) !== null) return `u${1 + (index % 3)}`;
  return userOf(state, state.codes[code]?.coupon?.holder ?? null) ?? 'u1';
}

function couponOf(state: ModelState, code: string, userId: string): ModelCoupon | null {
  const publicBook = publicBookOf(state, code);
  if (publicBook !== null) return ownCoupon(state, publicBook, userId)?.coupon ?? null;
  return state.codes[code]?.coupon ?? null;
}

function tokenOf(coupon: ModelCoupon | null, token: TokenRef): string | null {
  const { tokens = [], lockedUntil = null } = coupon ?? {};
  if (token === 'none' || (token === 'right' && lockedUntil === null)) return null;
  if (token === 'current' || token === 'right') return tokens.at(-1) ?? '0';
  // Whoever knows the tokens before can tell the number of the next one, and no more.
  return token === 'former' ? (tokens.at(-2) ?? '0') : `${tokens.length + 1}0000000000`;
}
