import { type Static, Type } from 'typebox';
import { idOfBook } from '../books/id-of-book.ts';
import type { Caller } from '../caller.ts';
import type { Queryable } from '../db/pool.ts';
import { CodeStatus } from '../decks/code-view.ts';
import { isPublic, type LocateCore, type Location, locateCodes, type PublicLocation } from '../decks/locate-codes.ts';
import { CouponError } from '../errors.ts';
import { Code, Id, nullable, Time } from '../input/shapes.ts';
import type { DeckKey } from '../keys.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import { readCoupon } from './read-coupon.ts';
import type { CouponView } from './rules/coupon-view.ts';
import { missingCoupon } from './rules/missing-coupon.ts';

const DeckIdOfCode = { ...Id, description: 'A UUID. Null for the public code of a book, which stands in no deck.' };

/** Where a code of the tenant is from, and what has become of it; without its coupon, which stands beside these. */
export const codeStandingFields = {
  code: Code,
  bookId: Id,
  deckId: nullable(DeckIdOfCode),
  status: CodeStatus,
  voidedAt: Type.Optional({
    ...Time,
    description:
      'When the code went void with its deck, before anybody had it. Left out of every other code, and where nobody knows: the events of a coupon tell when it was voided itself.',
  }),
  voidedReason: Type.Optional(
    nullable(
      Type.String({
        description:
          'Why the deck was voided; null where no reason was given. With `voidedAt`, for operators and admins.',
      }),
    ),
  ),
};
const CodeStanding = Type.Object(codeStandingFields);

/** A code that was looked up, with its coupon. Null: nobody has had it. */
export type CodeLookUp = Static<typeof CodeStanding> & { coupon: CouponView | null };

/**
 * Looks a code up, also one that nobody has yet. It is for callers who may see all of the tenant's codes: a customer
 * would learn from it which codes exist. The answer is true at a moment between question and answer, and binds nobody.
 * @throws CouponError `coupon-not-found` for a code that the tenant does not have; `unavailable`
 */
export async function lookUpCode(
  core: LocateCore & { readonly batches: CouponBatches },
  caller: Caller,
  code: string,
): Promise<CodeLookUp> {
  const { tenantId } = caller;
  const [location = null] = await locateCodes(core, tenantId, [code], { always: false });
  if (isPublic(location)) return lookUpPublicCode(core.pool, caller, location);
  if (location === null) throw new CouponError(missingCoupon(caller, undefined, false)!);
  // The state first: a deck that is there afterwards was there before.
  const state = await readState(core, caller, code);
  const deck = await readOrigin(core.pool, tenantId, location.deckKey);
  if (deck === null) throw new CouponError(missingCoupon(caller, undefined, false)!);
  const { bookId, deckId } = deck;
  return { code: location.code, bookId, deckId, ...state, ...voidWithDeck(caller, location, state, deck) };
}

/** What is told of a code that went void with its deck. */
function voidWithDeck(
  caller: Caller,
  { pos }: Location,
  { status, coupon }: Pick<CodeLookUp, 'status' | 'coupon'>,
  { voidedAt, voidedFrom, voidedReason }: Origin,
): Pick<CodeLookUp, 'voidedAt' | 'voidedReason'> {
  // A code that a restore voided, before the deck was, has no moment of its own.
  if (status !== 'voided' || coupon !== null || voidedAt === null || pos < voidedFrom!) return {};
  const told = { voidedAt: voidedAt.toISOString() };
  // A checkout's key reads no reasons of coupons either: they are for those who handle them.
  return caller.role === 'redeemer' ? told : { ...told, voidedReason };
}

/** Where a code comes from. */
interface Origin {
  readonly bookId: string;
  readonly deckId: string;
  /** Null: the deck was not voided, or nobody knows when. */
  readonly voidedAt: Date | null;
  /** The first position that went void then. */
  readonly voidedFrom: number | null;
  readonly voidedReason: string | null;
}

/**
 * A deck and its book, as callers may see them. Null where they were deleted: this process may still know where their
 * codes stood.
 */
async function readOrigin(db: Queryable, tenantId: number, deckKey: DeckKey): Promise<Origin | null> {
  const { rows } = await db.query<Origin>({
    name: 'read-origin-of-code',
    text: `select b.id as "bookId", d.id as "deckId", d.voided_at as "voidedAt", d.voided_from as "voidedFrom",
        d.voided_reason as "voidedReason"
      from (select * from decks where tenant_id = $1 and deck_id = $2 limit 1) as d
      cross join lateral (select id from books where book_id = d.book_id and tenant_id = $1 limit 1) as b`,
    values: [tenantId, deckKey],
  });
  return rows[0] ?? null;
}

/** A public code stands in no deck, and whoever brings it may be dealt a coupon. */
async function lookUpPublicCode(
  db: Queryable,
  caller: Caller,
  { code, publicBook }: PublicLocation,
): Promise<CodeLookUp> {
  const bookId = await idOfBook(db, caller.tenantId, publicBook);
  if (bookId === null) throw new CouponError(missingCoupon(caller, undefined, false)!);
  return { code, bookId, deckId: null, status: 'available', coupon: null };
}

/** Of a code that stands in a deck: one without a coupon can be dealt, unless it is void. */
async function readState(
  core: { readonly batches: CouponBatches },
  caller: Caller,
  code: string,
): Promise<Pick<CodeLookUp, 'status' | 'coupon'>> {
  try {
    const coupon = await readCoupon(core, caller, code);
    return { status: coupon.status, coupon };
  } catch (error) {
    if (!(error instanceof CouponError)) throw error;
    if (error.kind === 'coupon-not-found') return { status: 'available', coupon: null };
    if (error.kind === 'coupon-void') return { status: 'voided', coupon: null };
    throw error;
  }
}
