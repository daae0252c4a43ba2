import type { Queryable } from '../db/pool.ts';
import { type CodeSource, codesAt } from '../decks/codes-at.ts';
import type { DeckKey } from '../keys.ts';
import type { ArchiveStore } from './archive-store.ts';
import { readArchivedLines } from './archived-lines.ts';
import { checkTenants } from './check-tenants.ts';
import type { ArchivedEvent } from './event-lines.ts';
import { readManifest } from './manifest.ts';
import { listExports } from './verify-events.ts';

/**
 * What to do about a redemption that the archive knows and the database does not. `redeem-again`: the coupon is there,
 * in the same hands, and allows it. `honour`: it can't be made again here, since the coupon was assigned, or went to
 * somebody else, only after the moment, or is used up; whoever has its goods has them. `give-back-again`: it is there,
 * and giving it back was lost.
 */
export type LostAction = 'redeem-again' | 'honour' | 'give-back-again';

/** A redemption, or its reversal, that the database has lost. */
export interface LostRedemption {
  at: string;
  action: LostAction;
  redemptionId: string;
  tenantId: string;
  /** Null where the deck was added after the moment too. */
  bookId: string | null;
  code: string | null;
  /** Null where the user came after the moment, or was erased. */
  userId: string | null;
}

/** What was found, and how far the archive reaches. */
export interface LostRedemptions {
  lost: LostRedemption[];
  /** Nothing after this moment is in the archive. ISO 8601; null: nothing is in it. */
  until: string | null;
}

/** Events that are looked up by one statement. */
const pieceRows = 1_000;

/**
 * Finds what was redeemed or given back according to the archive and is not in the database: exactly the redemptions
 * whose `redeemed` event is archived, whose id the database does not have, and which were not given back according to
 * the archive; and those it has as not given back although their `reversed` event is archived. Nothing is changed.
 * Memory grows with what was lost, not with the archive.
 * @param since only events from this moment on; null: all
 */
export async function findLostRedemptions(
  source: CodeSource & { pool: Queryable },
  store: ArchiveStore,
  since: Date | null,
): Promise<LostRedemptions> {
  const { pool } = source;
  const redeemed = new Map<string, ArchivedEvent>();
  const reversed = new Map<string, ArchivedEvent>();
  const givenBack = new Set<string>();
  const look = async (events: ArchivedEvent[]) => {
    const known = await readKnown(pool, events);
    for (const event of events) {
      const id = event.redemption!;
      if (event.kind === 'redeemed' && !known.has(id)) redeemed.set(id, event);
      if (event.kind !== 'reversed') continue;
      if (!known.has(id)) givenBack.add(id);
      if (known.get(id) === false) reversed.set(id, event);
    }
  };
  let until: string | null = null;
  for (const folder of await listExports(store)) {
    // One that was broken off is told of as far as it goes: in the night of a restore that is better than nothing.
    const manifest = await readManifest(store, folder);
    if (manifest === null) continue;
    await checkTenants(pool, store, manifest);
    if (manifest.complete && (until === null || manifest.until > until)) until = manifest.until;
    if (since !== null && Date.parse(manifest.until) <= since.getTime()) continue;
    for (const file of manifest.files) await inPieces(readArchivedLines(store, file), since, look);
  }
  for (const id of givenBack) redeemed.delete(id);
  const lost = [
    ...(await describe(source, [...redeemed.values()])),
    ...(await describe(source, [...reversed.values()])),
  ];
  return { lost: lost.sort((a, b) => (a.at < b.at ? -1 : 1)), until };
}

async function inPieces(
  lines: AsyncGenerator<{ event: ArchivedEvent }>,
  since: Date | null,
  look: (events: ArchivedEvent[]) => Promise<void>,
): Promise<void> {
  let piece: ArchivedEvent[] = [];
  for await (const { event } of lines) {
    if (event.redemption === null || (since !== null && Date.parse(event.at) < since.getTime())) continue;
    piece.push(event);
    if (piece.length < pieceRows) continue;
    await look(piece);
    piece = [];
  }
  await look(piece);
}

/** Of the redemptions that the database has, whether they were given back. */
async function readKnown(db: Queryable, events: readonly ArchivedEvent[]): Promise<Map<string, boolean>> {
  if (events.length === 0) return new Map();
  const { rows } = await db.query<{ id: string; isReversed: boolean }>(
    `select r.id, r.reversed_at is not null as "isReversed" from unnest($1::int[], $2::uuid[]) as asked (tenant_id, id)
      cross join lateral (
        select id, reversed_at from redemptions where tenant_id = asked.tenant_id and id = asked.id limit 1) as r`,
    [events.map(({ tenant }) => tenant), events.map(({ redemption }) => redemption)],
  );
  return new Map(rows.map(({ id, isReversed }) => [id, isReversed]));
}

/** What the database knows of the coupon of a lost redemption. */
interface Whereabouts {
  n: number;
  tenantId: string;
  bookId: string | null;
  isPlace: boolean;
  code: string | null;
  userId: string | null;
  canRedeem: boolean | null;
}

async function describe(source: CodeSource & { pool: Queryable }, events: ArchivedEvent[]): Promise<LostRedemption[]> {
  const described: LostRedemption[] = [];
  for (let start = 0; start < events.length; start += pieceRows) {
    const piece = events.slice(start, start + pieceRows);
    const whereabouts = await readWhereabouts(source.pool, piece);
    const codes = await codesOf(source, piece, whereabouts);
    for (const [at, event] of piece.entries()) {
      const { tenantId, bookId, userId, canRedeem } = whereabouts[at]!;
      const action = actionFor(event, canRedeem === true);
      described.push({
        ...{ at: event.at, action, redemptionId: event.redemption!, tenantId, bookId },
        ...{ code: codes[at]!, userId },
      });
    }
  }
  return described;
}

function actionFor({ kind }: ArchivedEvent, canRedeem: boolean): LostAction {
  if (kind === 'reversed') return 'give-back-again';
  return canRedeem ? 'redeem-again' : 'honour';
}

async function readWhereabouts(db: Queryable, events: readonly ArchivedEvent[]): Promise<Whereabouts[]> {
  const { rows } = await db.query<Whereabouts>(
    `select asked.n, t.id as "tenantId", b.id as "bookId", d.size > asked.pos as "isPlace", c.code, h.user_id as "userId",
        c.holder_id = asked.holder and not c.voided and (c.max_redemptions is null or c.redemptions < c.max_redemptions)
          as "canRedeem"
      from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[]) with ordinality
        as asked (tenant_id, deck_id, pos, holder, n)
      join tenants t on t.tenant_id = asked.tenant_id
      left join decks d on d.tenant_id = asked.tenant_id and d.deck_id = asked.deck_id
      left join books b on b.tenant_id = asked.tenant_id and b.book_id = d.book_id
      left join coupons c on c.tenant_id = asked.tenant_id and c.deck_id = asked.deck_id and c.pos = asked.pos
      left join holders h on h.tenant_id = asked.tenant_id and h.holder_id = asked.holder
      order by asked.n`,
    [
      events.map(({ tenant }) => tenant),
      events.map(({ deck }) => deck),
      events.map(({ pos }) => pos),
      events.map(({ holder }) => holder),
    ],
  );
  return rows;
}

/** A coupon's own code, or that of its place where the coupon was made after the moment. */
async function codesOf(
  source: CodeSource & { pool: Queryable },
  events: readonly ArchivedEvent[],
  whereabouts: readonly Whereabouts[],
): Promise<(string | null)[]> {
  const codes = whereabouts.map(({ code }) => code);
  const missing = [...whereabouts.keys()].filter((at) => codes[at] === null && whereabouts[at]!.isPlace);
  for (const [tenant, ats] of Map.groupBy(missing, (at) => events[at]!.tenant)) {
    const places = ats.map((at) => ({ deckKey: events[at]!.deck as DeckKey, pos: events[at]!.pos }));
    const found = await codesAt(source, source.pool, tenant, places);
    for (const [k, at] of ats.entries()) codes[at] = found[k]!;
  }
  return codes;
}
