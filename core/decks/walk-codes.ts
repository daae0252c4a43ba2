import type pg from 'pg';
import type { ColdTurns } from '../db/cold-turns.ts';
import { ofTenant } from '../db/of-tenant.ts';
import type { Connection } from '../db/pool.ts';
import { withConnection } from '../db/with-connection.ts';
import type { BookKey, DeckKey } from '../keys.ts';
import type { CodeStatus, CodeView } from './code-view.ts';
import { type CodeSource, codesAt } from './codes-at.ts';
import type { Place } from './place.ts';

/** What a walk reads with. */
export interface WalkCore extends CodeSource {
  readonly readPool: pg.Pool;
  readonly coldTurns: ColdTurns;
}

/** One stretch of the way through a book's codes. */
export interface CodeStretch {
  readonly codes: WalkedCode[];
  /** Where to go on; null: every code was looked at. */
  readonly next: NextPlace | null;
}

/** A code that was walked by, with what an export tells beside what a list does. */
export interface WalkedCode extends CodeView {
  /** Null where nobody has had it. */
  readonly assignedAt: Date | null;
  /** Redemptions that were not given back. */
  readonly redemptions: number;
  /** When the last of those was made; null where there is none, and where it was not asked for. */
  readonly lastRedeemedAt: Date | null;
}

/** A place with the deck's UUID, which may be shown. */
export interface NextPlace extends Place {
  readonly deckId: string;
}

/** How far one stretch may go. */
export interface StretchBounds {
  /** Codes shown at most, 1 and up. */
  readonly items: number;
  /** Coupons and decks looked at at most, 1 and up: with a filter, few of them may be shown. */
  readonly looks: number;
  /** Whether to look up when each was redeemed last. */
  readonly withLastRedeemed: boolean;
}

interface WalkedDeck {
  deckKey: DeckKey;
  id: string;
  size: number;
  nextPos: number;
  /** The end of its book. */
  endsAt: Date | null;
}

interface WalkedCoupon {
  pos: number;
  code: string;
  status: CodeStatus;
  userId: string | null;
  assignedAt: Date | null;
  redemptions: number;
  lastRedeemedAt: Date | null;
}

/** A code to show; the text of one without a coupon comes last, for all at once. */
interface Shown {
  readonly deck: WalkedDeck;
  readonly pos: number;
  readonly status: CodeStatus;
  readonly coupon: WalkedCoupon | null;
}

/** Of a coupon `c`: the time of its last redemption that was not given back, from the last one back. */
const lastRedeemed = `(
            select r.at from redeemers e cross join lateral (
              select at, reversed_at from redemptions where tenant_id = $1 and id = e.redemption_id limit 1) as r
            where e.tenant_id = $1 and e.deck_id = c.deck_id and e.pos = c.pos and r.reversed_at is null
            order by e.rev desc limit 1)`;

/** Decks and coupons are read in pieces of so many. */
const deckPieceRows = 500;
const couponPieceRows = 2_000;

/**
 * Walks through a book's codes from `from` on, by deck and position, and shows those of a status (null: all). Only
 * coupons have rows of their own to look at. The runs of codes between them all have one status, voided before the
 * next position to deal and available from there on, so a run that is not wanted is passed in one step, however long:
 * what a stretch costs does not depend on the decks' sizes.
 *
 * All of it is one snapshot, read on a replica's connection where there is one. Walks of a tenant take turns.
 * @throws CouponError `unavailable`, not begun, where too many of the tenant's walks wait
 */
export async function walkCodes(
  core: WalkCore,
  tenantId: number,
  bookKey: BookKey,
  status: CodeStatus | null,
  from: Place,
  bounds: StretchBounds,
): Promise<CodeStretch> {
  // A filter may look at tens of thousands of coupons: one walk a tenant at a time leaves others a connection for
  // theirs.
  const giveBack = await core.coldTurns.take(tenantId, 'walk');
  try {
    return await walkOnce(core, tenantId, bookKey, status, from, bounds);
  } finally {
    giveBack();
  }
}

function walkOnce(
  core: Omit<WalkCore, 'coldTurns'>,
  tenantId: number,
  bookKey: BookKey,
  status: CodeStatus | null,
  from: Place,
  bounds: StretchBounds,
): Promise<CodeStretch> {
  return withConnection(core.readPool, async (lease) => {
    const { connection } = lease;
    try {
      await connection.query('begin isolation level repeatable read, read only');
      const walk = new Walk(connection, tenantId, status, bounds);
      const next = await walk.throughBook(bookKey, from);
      const codes = await view(core, connection, tenantId, walk.shown);
      await connection.query('commit');
      return { codes, next };
    } catch (error) {
      // Ending the connection ends the transaction.
      lease.isBroken = true;
      throw error;
    }
  });
}

/** The state of one stretch. */
class Walk {
  readonly shown: Shown[] = [];
  readonly #connection: Connection;
  readonly #tenantId: number;
  readonly #status: CodeStatus | null;
  readonly #items: number;
  readonly #withLastRedeemed: boolean;
  #looks: number;

  constructor(connection: Connection, tenantId: number, status: CodeStatus | null, bounds: StretchBounds) {
    this.#connection = connection;
    this.#tenantId = tenantId;
    this.#status = status;
    this.#items = bounds.items;
    this.#withLastRedeemed = bounds.withLastRedeemed;
    this.#looks = bounds.looks;
  }

  async throughBook(bookKey: BookKey, from: Place): Promise<NextPlace | null> {
    let place = from;
    for (;;) {
      const decks = await this.#readDecks(bookKey, place.deckKey);
      for (const deck of decks) {
        const next = await this.#throughDeck(deck, deck.deckKey === place.deckKey ? place.pos : 0);
        if (next !== null) return { deckKey: deck.deckKey, deckId: deck.id, pos: next };
      }
      if (decks.length < deckPieceRows) return null;
      place = { deckKey: (decks.at(-1)!.deckKey + 1) as DeckKey, pos: 0 };
    }
  }

  /** The position to go on at, or null where the deck was walked through. */
  async #throughDeck(deck: WalkedDeck, from: number): Promise<number | null> {
    this.#looks -= 1;
    // Codes from the next position on can still be dealt; codes before it can't.
    let pos = this.#status === 'available' ? Math.max(from, deck.nextPos) : from;
    while (pos < deck.size) {
      if (this.#isFull()) return pos;
      const wanted = Math.max(1, Math.min(couponPieceRows, this.#looks, this.#wantedCoupons()));
      const coupons = await this.#readCoupons(deck, pos, wanted);
      this.#looks -= coupons.length;
      for (const coupon of coupons) {
        pos = this.#passRun(deck, pos, coupon.pos);
        if (pos < coupon.pos || this.#isShownFull()) return pos;
        if (this.#wants(coupon.status)) this.shown.push({ deck, pos, status: coupon.status, coupon });
        pos += 1;
      }
      if (coupons.length < wanted) {
        pos = this.#passRun(deck, pos, deck.size);
        return pos < deck.size ? pos : null;
      }
    }
    return null;
  }

  /** Without a filter every coupon is shown, so no more are read than are shown. */
  #wantedCoupons(): number {
    return this.#status === null ? this.#items - this.shown.length : couponPieceRows;
  }

  /** Passes codes without coupons from `pos` up to `end`, shows what is wanted, and returns where it had to stop. */
  #passRun(deck: WalkedDeck, pos: number, end: number): number {
    const border = Math.min(Math.max(pos, deck.nextPos), end);
    const stopped = this.#passAlike(deck, pos, border, 'voided');
    return stopped < border ? stopped : this.#passAlike(deck, border, end, 'available');
  }

  #passAlike(deck: WalkedDeck, pos: number, end: number, status: CodeStatus): number {
    if (!this.#wants(status)) return end;
    const stop = Math.min(end, pos + this.#items - this.shown.length);
    for (let at = pos; at < stop; at += 1) this.shown.push({ deck, pos: at, status, coupon: null });
    return stop;
  }

  #wants(status: CodeStatus): boolean {
    return this.#status === null || this.#status === status;
  }

  #isShownFull(): boolean {
    return this.shown.length >= this.#items;
  }

  #isFull(): boolean {
    return this.#isShownFull() || this.#looks <= 0;
  }

  async #readDecks(bookKey: BookKey, from: number): Promise<WalkedDeck[]> {
    const answer = await this.#connection.query<WalkedDeck>({
      name: 'walk-decks',
      text: `select deck_id as "deckKey", id, size, next_pos as "nextPos",
          (select ends_at from books where tenant_id = $1 and book_id = $2) as "endsAt"
        from (
          select * from decks where book_id = $2 and deck_id >= $3 and ${ofTenant} order by deck_id offset 0) as of_book
        order by deck_id limit $4`,
      values: [this.#tenantId, bookKey, from, deckPieceRows],
    });
    return answer.rows;
  }

  async #readCoupons({ deckKey, endsAt }: WalkedDeck, from: number, count: number): Promise<WalkedCoupon[]> {
    const answer = await this.#connection.query<WalkedCoupon>({
      name: 'walk-coupons',
      // The same as couponStatus says (test: "a code's status is its coupon's own, whatever the two together are").
      text: `select c.pos, c.code, h.user_id as "userId", c.assigned_at as "assignedAt", c.redemptions,
          case when $6::boolean and c.redemptions > 0 then ${lastRedeemed} end as "lastRedeemedAt",
          case when c.voided then 'voided'
               when c.redemptions >= c.max_redemptions then 'redeemed'
               when least(c.lock_expires_at, $5) > clock_timestamp() and c.lock_expires_at is not null then 'locked'
               else 'assigned' end as status
        from coupons c left join holders h on h.tenant_id = $1 and h.holder_id = c.holder_id
        where c.tenant_id = $1 and c.deck_id = $2 and c.pos >= $3 order by c.pos limit $4`,
      values: [this.#tenantId, deckKey, from, count, endsAt, this.#withLastRedeemed],
    });
    return answer.rows;
  }
}

async function view(
  source: CodeSource,
  connection: Connection,
  tenantId: number,
  shown: readonly Shown[],
): Promise<WalkedCode[]> {
  const withoutCoupon = shown.filter(({ coupon }) => coupon === null);
  const texts = (
    await codesAt(
      source,
      connection,
      tenantId,
      withoutCoupon.map(({ deck, pos }) => ({ deckKey: deck.deckKey, pos })),
    )
  ).values();
  return shown.map(({ deck, status, coupon }) => ({
    code: coupon?.code ?? texts.next().value!,
    status,
    deckId: deck.id,
    userId: coupon?.userId ?? null,
    assignedAt: coupon?.assignedAt ?? null,
    redemptions: coupon?.redemptions ?? 0,
    lastRedeemedAt: coupon?.lastRedeemedAt ?? null,
  }));
}
