import { plainArray } from '../db/array-text.ts';
import { ofTenant } from '../db/of-tenant.ts';
import type { Transaction } from '../db/transaction.ts';
import type { BookKey, DeckKey } from '../keys.ts';
import type { DealtDeck } from './draw-rules.ts';
import type { Place } from './place.ts';

/** How a batch will use the decks, which says how far ahead their taken positions must be known. */
export interface DealPlan {
  /** Books whose decks are drawn from. */
  bookKeys: BookKey[];
  /** Decks of which codes are taken by name. */
  deckKeys: DeckKey[];
  /** Most positions that the batch can draw or take, over all decks. */
  members: number;
  /** The positions that the batch wants to take by name. */
  wanted: Place[];
}

const takenPageRows = 1_000;

const readDealtDecksSql = `select deck_id as "deckKey", book_id as "bookKey", size, next_pos as "nextPos", taken_ahead as "takenAhead"
      from (
        select d.* from unnest($2::int[]) as asked (id)
        cross join lateral (select * from decks where book_id = asked.id and ${ofTenant} offset 0) as d where d.next_pos < d.size
        union
        select d.* from unnest($3::int[]) as asked (id)
        cross join lateral (select * from decks where tenant_id = $1 and deck_id = asked.id limit 1) as d) as d
      order by deck_id`;

/**
 * Reads the decks that still have codes, and those named, afresh: only valid under their dealers' locks and in a
 * statement after them. Ordered by deck, so that a replayed random source draws the same.
 */
export async function readDealtDecks(
  tx: Transaction,
  tenantId: number,
  plan: DealPlan,
): Promise<Map<DeckKey, DealtDeck & { bookKey: BookKey }>> {
  const { rows } = await tx.query<{
    deckKey: DeckKey;
    bookKey: BookKey;
    size: number;
    nextPos: number;
    takenAhead: number;
  }>({
    name: 'read-dealt-decks',
    text: readDealtDecksSql,
    values: [tenantId, plan.bookKeys, plan.deckKeys],
  });
  const decks = new Map(
    rows.map((row) => [
      row.deckKey,
      { ...row, voided: 0, taken: new Set<number>(), takenHere: new Set<number>(), passed: [] },
    ]),
  );
  for (const deck of decks.values()) {
    if (deck.takenAhead > 0) await readTaken(tx, tenantId, deck, plan);
  }
  return decks;
}

/** Reads the positions taken by name as far as the batch can come: past as many free ones as it has members. */
async function readTaken(tx: Transaction, tenantId: number, deck: DealtDeck, plan: DealPlan): Promise<void> {
  const wanted = plan.wanted.filter(({ deckKey }) => deckKey === deck.deckKey).map(({ pos }) => pos);
  let from = deck.nextPos;
  for (;;) {
    const { rows } = await tx.query<{ pos: number }>({
      name: 'read-taken',
      text: `select pos from deck_taken where tenant_id = $1 and deck_id = $2 and pos >= $3 order by pos limit $4`,
      values: [tenantId, deck.deckKey, from, takenPageRows],
    });
    for (const { pos } of rows) deck.taken.add(pos);
    if (rows.length < takenPageRows) return;
    from = rows.at(-1)!.pos + 1;
    const free = from - deck.nextPos - deck.taken.size;
    if (free > plan.members) break;
  }
  const { rows } = await tx.query<{ pos: number }>({
    name: 'read-taken-wanted',
    text: `select t.pos from unnest($3::bigint[]) as asked (pos)
      cross join lateral (
        select pos from deck_taken where tenant_id = $1 and deck_id = $2 and pos = asked.pos limit 1) as t`,
    values: [tenantId, deck.deckKey, wanted],
  });
  for (const { pos } of rows) deck.taken.add(pos);
}

const writeDealtDecksSql = `update decks d set next_pos = n.next_pos, taken_ahead = n.taken_ahead, voided = d.voided + n.voided
      from unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[]) as n (deck_id, next_pos, taken_ahead, voided)
      cross join lateral (select ctid from decks where tenant_id = $1 and deck_id = n.deck_id limit 1) as place
      where d.ctid = place.ctid and d.${ofTenant}`;

const deletePassedSql = `delete from deck_taken t using unnest($2::int[], $3::bigint[]) as p (deck_id, pos)
        cross join lateral (
          select ctid from deck_taken where tenant_id = $1 and deck_id = p.deck_id and pos = p.pos limit 1) as place
        where t.ctid = place.ctid and t.${ofTenant}`;

/** Writes what a batch did to the decks: how far they are dealt, and which positions were taken or passed. */
export function writeDealtDecks(tx: Transaction, tenantId: number, decks: DealtDeck[]): void {
  if (decks.length === 0) return;
  tx.send({
    name: 'write-dealt-decks',
    // Named by its place: nobody else writes a deck whose dealer is locked.
    text: writeDealtDecksSql,
    values: [
      tenantId,
      plainArray(decks.map((deck) => deck.deckKey)),
      plainArray(decks.map((deck) => deck.nextPos)),
      plainArray(decks.map((deck) => deck.takenAhead)),
      plainArray(decks.map((deck) => deck.voided)),
    ],
  });
  const takenHere = decks.flatMap(({ deckKey, takenHere }) => [...takenHere].map((pos) => ({ deckKey, pos })));
  const passed = decks.flatMap(({ deckKey, passed }) => passed.map((pos) => ({ deckKey, pos })));
  if (takenHere.length > 0) {
    tx.send({
      name: 'insert-taken',
      text: `insert into deck_taken (tenant_id, deck_id, pos) select $1::int, * from unnest($2::int[], $3::bigint[])`,
      values: [tenantId, takenHere.map(({ deckKey }) => deckKey), takenHere.map(({ pos }) => pos)],
    });
  }
  if (passed.length > 0) {
    tx.send({
      name: 'delete-passed',
      text: deletePassedSql,
      values: [tenantId, passed.map(({ deckKey }) => deckKey), passed.map(({ pos }) => pos)],
    });
  }
}
