import { type Pattern, patternExpression } from '../codes/pattern-rules.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import { limits } from '../limits.ts';

/** Codes that one statement of a search looks at: 30 ms of a connection. */
export const searchBounds = { pageCodes: 20_000 };

/** What a search through a tenant's uploaded codes found. */
export interface UploadedSearch {
  /** One of them that the pattern could produce; null: there is none. */
  found: string | null;
  /** The tenant's last uploaded deck when the search began, 0 for none. Later decks were not searched. */
  lastDeckKey: number;
}

/** What a search of uploaded codes reads with. */
export type SearchCore = Pick<ColdCore, 'coldPool' | 'coldTurns'>;

/**
 * Looks for an uploaded code of the tenant that the pattern could produce. The index narrows the search to codes that
 * begin like the pattern; a pattern that begins with `#` has all of the tenant's codes to look at.
 *
 * It holds no lock, and a connection only for a page of codes at a time, so that a tenant with millions of them keeps
 * nobody else waiting; one search a tenant runs at a time. A search of a million codes takes one to two seconds.
 * @throws CouponError `conflict` where more than limits.conflictSearchMaxCodes begin like the pattern; `unavailable`
 *   where too many searches of the tenant wait
 */
export async function findUploadedCode(
  { coldPool, coldTurns }: SearchCore,
  tenantId: number,
  pattern: Pattern,
): Promise<UploadedSearch> {
  const giveBack = await coldTurns.take(tenantId, 'search');
  try {
    const lastDeckKey = await lastUploadedDeck(coldPool, tenantId);
    let after = '';
    for (let codes = 0; codes < limits.conflictSearchMaxCodes; codes += searchBounds.pageCodes) {
      const page = await searchPage(coldPool, tenantId, pattern, after);
      if (page.found !== null || page.last === null) return { found: page.found, lastDeckKey };
      after = page.last;
    }
  } finally {
    giveBack();
  }
  const which = startOf(pattern) === '' ? 'are there' : `begin with ${startOf(pattern)}`;
  throw refuse(
    'conflict',
    `More than ${limits.conflictSearchMaxCodes} uploaded codes ${which}, too many to compare with the pattern: let it begin with characters that fewer of them begin with.`,
  );
}

/** What all codes of the pattern begin with. */
function startOf({ template, placeholders }: Pattern): string {
  return template.slice(0, placeholders[0]);
}

/** The tenant's last uploaded deck, 0 for none. A deck's id is greater than those of all that were there before. */
export async function lastUploadedDeck(db: Pick<Transaction, 'query'>, tenantId: number): Promise<number> {
  const { rows } = await db.query<{ last: number }>({
    name: 'last-uploaded-deck',
    text: 'select coalesce(max(deck_id), 0) as last from decks where tenant_id = $1 and pattern_id is null',
    values: [tenantId],
  });
  return rows[0]!.last;
}

/** A page of codes in the order of the index; `last` is null on the last page. */
async function searchPage(
  db: Pick<Transaction, 'query'>,
  tenantId: number,
  pattern: Pattern,
  after: string,
): Promise<{ found: string | null; last: string | null }> {
  const start = startOf(pattern);
  const { rows } = await db.query<{ codes: number; found: string | null; last: string | null }>({
    name: 'uploaded-codes-of-pattern',
    text: `select count(*) as codes, max(code) as last,
        min(code) filter (where code like $5 and code ~ $6) as found
      from (select code from deck_codes
        where tenant_id = $1 and code >= $2 and code < $3 and code > $4 order by code limit $7) as page`,
    values: [
      tenantId,
      start,
      // "~" sorts after every character that a code can have.
      `${start}~`,
      after,
      // Far cheaper than the expression, and sorts nearly all out.
      pattern.template.replaceAll('_', '\\_').replaceAll('#', '_'),
      patternExpression(pattern),
      searchBounds.pageCodes,
    ],
  });
  const { codes, found, last } = rows[0]!;
  return { found, last: codes < searchBounds.pageCodes ? null : last };
}
