import type { Caller } from '../caller.ts';
import { codeOfLetters, typedLetters } from '../codes/typed-letters.ts';
import type { Queryable } from '../db/pool.ts';
import { type LocateCore, locateCodes } from '../decks/locate-codes.ts';
import { storedCodesOfLetters } from '../decks/stored-codes-of-letters.ts';
import { CouponError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import { type CodeLookUp, lookUpCode } from './look-up-code.ts';
import { missingCoupon } from './rules/missing-coupon.ts';

/**
 * Finds the codes that somebody may mean who does not have one letter by letter: dashes, underscores and blanks count
 * for nothing, and `O` is `0`, `I` and `L` are `1`. At most limits.alikeCodesMax, in the order of their texts. It is
 * for callers who may see all of the tenant's codes. Each answer is true at a moment between question and answer, and
 * binds nobody.
 *
 * Uploaded codes are sought in the replica where there is one, so one of the last moment may not be found yet.
 * @throws CouponError `coupon-not-found` where there is none, so that guesses are counted here too; `unavailable`
 */
export async function findAlikeCodes(
  core: LocateCore & { readonly batches: CouponBatches; readonly readPool: Queryable },
  caller: Caller,
  typed: string,
): Promise<CodeLookUp[]> {
  const found: CodeLookUp[] = [];
  for (const code of await locateAlike(core, caller, typed)) {
    try {
      found.push(await lookUpCode(core, caller, code));
    } catch (error) {
      // Its deck was deleted since.
      if (!(error instanceof CouponError && error.kind === 'coupon-not-found')) throw error;
    }
  }
  if (found.length === 0) throw new CouponError(missingCoupon(caller, undefined, false)!);
  return found;
}

async function locateAlike(
  core: LocateCore & { readonly readPool: Queryable },
  { tenantId }: Caller,
  typed: string,
): Promise<string[]> {
  const letters = typedLetters(typed);
  if (letters === null) return [];
  const known = await core.knownPatterns.refresh(core.pool, tenantId);
  const generated = [...known.patterns.values()].flatMap(({ pattern }) => codeOfLetters(pattern, letters) ?? []);
  const stored = await storedCodesOfLetters(core.readPool, tenantId, letters);
  const located = await locateCodes(core, tenantId, [...generated, ...stored], { always: false });
  return [...new Set(located.flatMap((each) => each?.code ?? []))].sort().slice(0, limits.alikeCodesMax);
}
