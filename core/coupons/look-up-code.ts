import { type Static, Type } from 'typebox';
import type { KnownBooks } from '../books/known-books.ts';
import type { Caller } from '../caller.ts';
import { CodeStatus } from '../decks/code-view.ts';
import { isPublic, type LocateCore, locateCodes } from '../decks/locate-codes.ts';
import type { PublicCode } from '../decks/public-code-row.ts';
import { CouponError } from '../errors.ts';
import { Code, Id, nullable } from '../input/shapes.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import { readCoupon } from './read-coupon.ts';
import type { CouponView } from './rules/coupon-view.ts';
import { missingCoupon } from './rules/missing-coupon.ts';

const DeckIdOfCode = { ...Id, description: 'A UUID. Null for the public code of a book, which stands in no deck.' };

/** Where a code of the tenant is from, and what has become of it; without its coupon, which stands beside these. */
export const codeStandingFields = { code: Code, bookId: Id, deckId: nullable(DeckIdOfCode), status: CodeStatus };
const CodeStanding = Type.Object(codeStandingFields);

/** A code that was looked up, with its coupon. Null: nobody has had it. */
export type CodeLookUp = Static<typeof CodeStanding> & { coupon: CouponView | null };

/**
 * Looks a code up, also one that nobody has yet. It is for callers who may see all of the tenant's codes: a customer
 * would learn from it which codes exist. The answer is true at a moment between question and answer, and binds nobody.
 * @throws CouponError `coupon-not-found` for a code that the tenant does not have; `unavailable`
 */
export async function lookUpCode(
  core: LocateCore & { readonly batches: CouponBatches; readonly knownBooks: KnownBooks },
  caller: Caller,
  code: string,
): Promise<CodeLookUp> {
  const { tenantId } = caller;
  const [location = null] = await locateCodes(core, tenantId, [code], { always: false });
  if (isPublic(location)) return lookUpPublicCode(core, tenantId, location);
  if (location === null) throw new CouponError(missingCoupon(caller, undefined, false)!);
  const [bookId, deck, state] = await Promise.all([
    core.knownBooks.bookIdOf(tenantId, location.bookKey),
    core.knownDecks.deckOf(core.pool, tenantId, location.deckKey),
    readState(core, caller, code),
  ]);
  return { code: location.code, bookId, deckId: deck!.deckId, ...state };
}

/** A public code stands in no deck, and whoever brings it may be dealt a coupon. */
async function lookUpPublicCode(
  { knownBooks }: { readonly knownBooks: KnownBooks },
  tenantId: number,
  { code, publicBook }: PublicCode,
): Promise<CodeLookUp> {
  return {
    code,
    bookId: await knownBooks.bookIdOf(tenantId, publicBook),
    deckId: null,
    status: 'available',
    coupon: null,
  };
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
