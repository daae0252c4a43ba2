import { isRedemptionIndexWhole } from '../db/index-redemptions.ts';
import { ofTenant } from '../db/of-tenant.ts';
import type { Queryable } from '../db/pool.ts';
import { isWanted, type RedemptionsWanted, wantedValues } from './redemptions-wanted.ts';

/** The next redemptions on a path. */
export interface RedemptionPiece {
  /** Newest first: those that are wanted, and the last one that was looked at. */
  readonly rows: { id: string; isFound: boolean }[];
  /** Redemptions looked at. */
  readonly looked: number;
  /** Whether there are no more. */
  readonly isEnd: boolean;
}

/** A way through redemptions by an index, newest first. */
export interface RedemptionPath {
  /** The next ones below an id, about so many. */
  read(below: string, rows: number): Promise<RedemptionPiece>;
}

/**
 * SQL of the redemptions along each path, as the columns of `piece` and `is_end`. Parameters: those of isWanted, then
 * $7, below which id, $8, from which id on, and $9, how many.
 */
const paths = {
  all: `piece as (
      select id, deck_id, pos, at, reference from redemptions
      where tenant_id = $1 and id < $7::uuid and id >= $8::uuid order by id desc limit $9),
    ending as (select count(*) < $9 as is_end from piece)`,

  reference: `piece as (
      select id, deck_id, pos, at, reference from redemptions
      where reference collate "C" = $4 and reference is not null and ${ofTenant}
        and id < $7::uuid and id >= $8::uuid order by id desc limit $9),
    ending as (select count(*) < $9 as is_end from piece)`,

  /**
   * Of the decks of a book, or the one of a code, each deck's newest ones. Those of a book of many decks are read in
   * smaller shares. What lies below the end of a share that is full may have others above it, and is left for the next
   * piece.
   */
  decks: `of_book as materialized (
      select deck_id from decks where book_id = $2 and tenant_id = $1 and ($5::int is null or deck_id = $5)
      union
      select $5::int where $2::int is null),
    share as materialized (select least($9::bigint, greatest(10, 4 * $9::bigint / greatest(1, count(*)))) as most from of_book),
    newest as materialized (
      select r.*, row_number() over (partition by r.deck_id order by r.id desc) as place
      from of_book cross join lateral (
        select id, deck_id, pos, at, reference from redemptions
        where deck_id = of_book.deck_id and ${ofTenant} and id < $7::uuid and id >= $8::uuid
        order by id desc limit (select most from share)) as r),
    full_to as materialized (
      select id from newest where place = (select most from share) order by id desc limit 1),
    piece as (
      select id, deck_id, pos, at, reference from newest
      where id >= coalesce((select id from full_to), $8::uuid)),
    ending as (select not exists (select from full_to) as is_end)`,
};

type PathName = keyof typeof paths;

/** The path on which the fewest redemptions stand beside those that are wanted. */
export async function choosePath(db: Queryable, tenantId: number, wanted: RedemptionsWanted): Promise<RedemptionPath> {
  const name = await pathFor(db, wanted);
  return { read: (below, rows) => readPiece(db, tenantId, wanted, name, below, rows) };
}

async function pathFor(db: Queryable, { reference, bookKey, place }: RedemptionsWanted): Promise<PathName> {
  if (reference !== null && (await isRedemptionIndexWhole(db, 'redemptions_reference_idx'))) return 'reference';
  const isOfDecks = bookKey !== null || place !== null;
  return isOfDecks && (await isRedemptionIndexWhole(db, 'redemptions_deck_idx')) ? 'decks' : 'all';
}

async function readPiece(
  db: Queryable,
  tenantId: number,
  wanted: RedemptionsWanted,
  path: PathName,
  below: string,
  rows: number,
): Promise<RedemptionPiece> {
  const answer = await db.query<{ id: string; isFound: boolean; looked: number; isEnd: boolean }>({
    name: `walk-redemptions-${path}`,
    text: `with ${paths[path]}
      select id, "isFound", looked, is_end as "isEnd" from (
        select r.id, r.looked, r.n, ${isWanted} as "isFound"
        from (select *, row_number() over (order by id desc) as n, count(*) over () as looked from piece) as r
        offset 0) as r
      cross join ending
      where "isFound" or n = looked order by id desc`,
    values: [...wantedValues(tenantId, wanted), below, wanted.fromId, rows],
  });
  const last = answer.rows.at(-1);
  return { rows: answer.rows, looked: last?.looked ?? 0, isEnd: last?.isEnd ?? true };
}
