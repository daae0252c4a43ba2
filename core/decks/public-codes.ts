import { matchPattern, type Pattern } from '../codes/pattern-rules.ts';
import type { Transaction } from '../db/transaction.ts';
import { type CouponError, refuse } from '../errors.ts';
import type { BookKey } from '../keys.ts';
import type { KnownPatterns } from '../patterns/known-patterns.ts';
import { bookOfPattern, bookOfStoredCode } from './name-books.ts';
import { rowOf } from './public-code-row.ts';

/**
 * Refuses a public code that is a code of the tenant already, or could come to be one. To be called under the tenant's
 * lock (lockTenantCodes), until whose end no other code comes to the tenant.
 * @param code as codes are stored
 * @throws CouponError `conflict`
 */
export async function refuseTakenPublicCode(
  knownPatterns: KnownPatterns,
  tx: Transaction,
  tenantId: number,
  code: string,
): Promise<void> {
  const match = (await knownPatterns.refresh(tx, tenantId)).match(code);
  if (match !== null) {
    const { patternId, pattern } = match.known;
    const book = await bookOfPattern(tx, tenantId, patternId);
    throw codeTaken(`${code} could come out of the pattern ${pattern.template} of ${book}`);
  }
  const where = await bookOfStoredCode(tx, tenantId, code);
  if (where !== null) throw codeTaken(`${code} ${where}`);
}

/** Makes this the public code of a book, where it has passed refuseTakenPublicCode in the same transaction. */
export async function reservePublicCode(
  tx: Transaction,
  tenantId: number,
  bookKey: BookKey,
  code: string,
): Promise<void> {
  await tx.query({
    name: 'reserve-public-code',
    text: 'insert into deck_codes (tenant_id, deck_id, pos, code) values ($1, $2, 0, $3)',
    values: [tenantId, rowOf(bookKey), code],
  });
}

/** Gives up the public code of a book. */
export async function releasePublicCode(
  tx: Transaction,
  tenantId: number,
  bookKey: BookKey,
  code: string,
): Promise<void> {
  await tx.query({
    name: 'release-public-code',
    text: 'delete from deck_codes where tenant_id = $1 and code = $2 and deck_id = $3',
    values: [tenantId, code, rowOf(bookKey)],
  });
}

/**
 * Refuses a pattern that could produce the public code of a book. To be called under the tenant's lock.
 * @throws CouponError `conflict`
 */
export async function refusePublicCodesOf(tx: Transaction, tenantId: number, pattern: Pattern): Promise<void> {
  const { rows } = await tx.query<{ code: string }>({
    name: 'public-codes-of-length',
    text: `select public_code as code from books
      where tenant_id = $1 and public_code is not null and length(public_code) = $2 order by public_code`,
    values: [tenantId, pattern.template.length],
  });
  const found = rows.find(({ code }) => matchPattern(pattern, code) !== null);
  if (found === undefined) return;
  throw refuse(
    'conflict',
    `The pattern could produce ${found.code}, which ${await bookOfStoredCode(tx, tenantId, found.code)}: let a fixed character or the length differ.`,
    { reason: 'code-exists' },
  );
}

function codeTaken(why: string): CouponError {
  return refuse('conflict', `${why}: choose another publicCode.`, { reason: 'code-exists' });
}
