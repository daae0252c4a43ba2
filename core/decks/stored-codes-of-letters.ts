import { likeSymbols } from '../codes/typed-letters.ts';
import type { Queryable } from '../db/pool.ts';
import { limits } from '../limits.ts';

/** The beginning of a code, and how many of the typed letters it has used. */
interface Beginning {
  readonly text: string;
  readonly used: number;
}

/** Beginnings that are followed at a time: so many codes may differ in nothing but their dashes and look-alikes. */
const maxBeginnings = 64;

/**
 * The uploaded and public codes of a tenant that have these letters, wherever their dashes and underscores stand, and
 * with look-alikes for one another. It walks the index of codes as one walks a tree of letters: a beginning that no
 * code has is not followed, so a code of 14 characters takes 15 statements of a few look-ups each, however many codes
 * there are. Where more than 64 beginnings go on at once, only that many are followed, so not every code is found.
 *
 * @param letters what `typedLetters` gave.
 */
export async function storedCodesOfLetters(db: Queryable, tenantId: number, letters: string): Promise<string[]> {
  const codes: string[] = [];
  let beginnings: readonly Beginning[] = [{ text: '', used: 0 }];
  for (let length = 1; length <= limits.codeLengthMaxChars && beginnings.length > 0; length += 1) {
    const longer = beginnings.flatMap((beginning) => steps(beginning, letters));
    const found = await findBeginnings(
      db,
      tenantId,
      longer.map(({ text }) => text),
    );
    beginnings = longer.filter(({ text }) => found.has(text)).slice(0, maxBeginnings);
    for (const { text, used } of beginnings) if (used === letters.length && found.get(text)) codes.push(text);
  }
  return codes;
}

/** A beginning with one more character: a separator, or the next letter or what looks like it. */
function steps({ text, used }: Beginning, letters: string): Beginning[] {
  const next = used < letters.length ? likeSymbols(letters[used]!) : [];
  return [
    ...['-', '_'].map((separator) => ({ text: text + separator, used })),
    ...next.map((symbol) => ({ text: text + symbol, used: used + 1 })),
  ];
}

/** Those of the texts with which a code begins, each with whether it is a whole code. */
async function findBeginnings(
  db: Queryable,
  tenantId: number,
  texts: readonly string[],
): Promise<ReadonlyMap<string, boolean>> {
  // In the order of the column's collation "~" stands behind every character of a code.
  const { rows } = await db.query<{ text: string; isWhole: boolean }>({
    name: 'find-code-beginnings',
    text: `select b.text, first.code = b.text as "isWhole"
      from unnest($2::text[]) as b (text)
      cross join lateral (
        select code from deck_codes
         where tenant_id = $1 and code >= b.text and code < b.text || '~'
         order by code limit 1) as first`,
    values: [tenantId, texts],
  });
  return new Map(rows.map(({ text, isWhole }) => [text, isWhole]));
}
