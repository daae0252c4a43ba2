import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createTenant } from '../../core/access/create-tenant.ts';
import { findTenantId } from '../../core/access/find-tenant-id.ts';
import { changeBook } from '../../core/book-life/change-book.ts';
import { createBook } from '../../core/book-life/create-book.ts';
import { closeBookGate, enterBookGate } from '../../core/books/book-gate.ts';
import type { BookPatch } from '../../core/books/book-terms.ts';
import { bookCounterStripes } from '../../core/books/counter-stripes.ts';
import { openKnownBooks } from '../../core/books/known-books.ts';
import { BookListRequest, listBooks } from '../../core/books/list-books.ts';
import { readBook } from '../../core/books/read-book.ts';
import { readBooksForDecision } from '../../core/books/read-book-rules.ts';
import type { Caller } from '../../core/caller.ts';
import { inTransaction, type Transaction } from '../../core/db/transaction.ts';
import { type DeckCounters, leftInDeck } from '../../core/decks/deck-counter-rules.ts';
import type { CouponError } from '../../core/errors.ts';
import { keyedRequest } from '../../core/idempotency/key-hash.ts';
import { checkInput } from '../../core/input/check-input.ts';
import type { BookKey } from '../../core/keys.ts';
import { bePatient } from '../support/be-patient.ts';
import { contractTerms } from '../support/contract-book.ts';
import { admin, type ColdCore, openColdCore } from '../support/open-cold-core.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

bePatient();
let database: TestDatabase;
let core: ColdCore;
/** A second process. */
let other: ColdCore;
let stranger: Caller;

beforeAll(async () => {
  database = await createTestDatabase('books');
  core = openColdCore(database.url);
  other = openColdCore(database.url);
  stranger = { ...admin, tenantId: await makeTenant('stranger') };
});

afterAll(async () => {
  await core.close();
  await other.close();
  await database.drop();
});

async function makeTenant(slug: string): Promise<number> {
  await createTenant(core, { ...admin, role: 'root' }, { slug, name: slug }, null);
  return (await findTenantId(core, slug))!;
}

async function makeBook(input: object = {}, caller = admin) {
  return (await createBook(core, caller, { name: 'Verano 2026', status: 'active', ...input }, null)).body;
}

const bookKeyOf = async (id: string) => (await core.knownBooks.bookKeyOf(admin.tenantId, id))!;
const refused = (kind: string) => expect.objectContaining({ kind });
const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: CouponError) => error.refusal,
  );

/** The book's revisions as the audit has them. */
async function revisionsOf(id: string) {
  const { rows } = await core.pool.query(
    'select rev, at, actor, status, max_redemptions from book_revisions where tenant_id = 1 and book_id = $1 order by rev',
    [await bookKeyOf(id)],
  );
  return rows;
}

describe('a new book', () => {
  test('is there as it was answered, with the contract’s fields and nothing else', async () => {
    const { body, replayed } = await createBook(core, admin, { name: 'Verano 2026' }, null);
    expect(replayed).toBe(false);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/),
      name: 'Verano 2026',
      ...contractTerms,
      counts: { codes: 0, available: 0, assigned: 0, redemptions: 0, voided: 0 },
      rev: 1,
      createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      updatedAt: body.createdAt,
    });
    expect(await readBook(core, admin, body.id)).toEqual(body);
    expect(await readBook(other, admin, body.id.toUpperCase())).toEqual(body);
  });

  test('has its dealer, every stripe of its counter, and its first revision', async () => {
    const { id, createdAt } = await makeBook();
    const bookKey = await bookKeyOf(id);
    const stripes = await core.pool.query(
      'select stripe, redemptions, voided from book_counters where book_id = $1 order by 1',
      [bookKey],
    );
    expect(stripes.rows).toEqual(
      Array.from({ length: bookCounterStripes }, (_, stripe) => ({ stripe, redemptions: 0, voided: 0 })),
    );
    expect(
      (await core.pool.query('select from dealers where tenant_id = 1 and book_id = $1', [bookKey])).rowCount,
    ).toBe(1);
    expect(await revisionsOf(id)).toEqual([
      { rev: 1, at: new Date(createdAt), actor: 'key:1', status: 'active', max_redemptions: null },
    ]);
  });

  test('keeps what it was given to the last character and millisecond', async () => {
    const given = {
      name: '  Ünïcode 🎟  ',
      description: 'a\nb',
      timeZone: 'America/Argentina/Buenos_Aires',
      startsAt: '2026-11-27T03:00:00.001Z',
      endsAt: '9999-12-31T23:59:59.999Z',
      maxRedemptions: 1_000_000_000_000,
      metadata: { b: [1.5, null, { é: '\u007f' }], a: true },
    };
    const { id } = await makeBook(given);
    expect(await readBook(core, admin, id)).toMatchObject(given);
  });

  test('is made once for its key, and a replay answers with the book as it was then', async () => {
    const input = { name: 'once' };
    const request = keyedRequest(admin, 'book-key', 'POST /v1/books', input);
    const first = await createBook(core, admin, input, request);
    await changeBook(core, admin, first.body.id, { name: 'later' }, null);
    expect(await createBook(other, admin, input, request)).toEqual({ body: first.body, replayed: true });
    const refusal = await refusalOf(createBook(core, admin, { name: 'other' }, { ...request, fingerprint: 1 }));
    expect(refusal?.kind).toBe('idempotency-key-reused');
  });

  test('that is invalid uses up no key and leaves nothing', async () => {
    const request = keyedRequest(admin, 'bad-book', 'POST /v1/books', {});
    for (const wrong of [
      { timeZone: 'Mars/Olympus' },
      { endsAt: 'tomorrow' },
      { metadata: { a: 'x'.repeat(4_096) } },
    ]) {
      const refusal = createBook(core, admin, { name: 'bad', ...wrong }, request);
      await expect(refusal).rejects.toEqual(refused('invalid-input'));
    }
    expect((await createBook(core, admin, { name: 'good' }, request)).replayed).toBe(false);
  });
});

describe('reading', () => {
  test('a book that is not there, is another tenant’s, or whose id is none, is book-not-found', async () => {
    const theirs = await makeBook({}, stranger);
    for (const id of [theirs.id, randomUUID(), '', 'x', '7', `${theirs.id} `, "' or 1=1", '\0', '%00']) {
      await expect(readBook(core, admin, id)).rejects.toEqual(refused('book-not-found'));
      await expect(changeBook(core, admin, id, {}, null)).rejects.toEqual(refused('book-not-found'));
    }
    expect((await readBook(core, stranger, theirs.id)).id).toBe(theirs.id);
  });

  test('counts are summed over decks and stripes: assigned is what is neither left nor void', async () => {
    const { id } = await makeBook();
    const bookKey = await bookKeyOf(id);
    const decks: DeckCounters[] = [
      { size: 10_000_000_000, nextPos: 100, takenAhead: 5, voided: 3 },
      { size: 50, nextPos: 50, takenAhead: 0, voided: 40 },
    ];
    for (const { size, nextPos, takenAhead, voided } of decks) {
      await core.pool.query(
        `insert into decks (tenant_id, id, book_id, kind, size, next_pos, taken_ahead, voided, created_at)
          values (1, $1, $2, 'uploaded', $3, $4, $5, $6, now())`,
        [randomUUID(), bookKey, size, nextPos, takenAhead, voided],
      );
    }
    await core.pool.query(
      'update book_counters set redemptions = case stripe when 3 then -2 else 1 end, voided = 2 where book_id = $1 and stripe < 5',
      [bookKey],
    );
    const { counts } = await readBook(core, admin, id);
    const available = 10_000_000_000 - 100 - 5;
    const voided = 3 + 40 + 5 * 2;
    const codes = 10_000_000_050;
    expect(decks.reduce((sum, deck) => sum + leftInDeck(deck), 0)).toBe(available);
    expect(counts).toEqual({ codes, available, voided, assigned: codes - available - voided, redemptions: 2 });
    expect((await listBooks(core, admin, {})).data[0]).toMatchObject({ id, counts });
  });
});

describe('the list', () => {
  test('shows each book of the tenant once, newest first, whatever is made while it is paged through', async () => {
    const caller = { ...admin, tenantId: await makeTenant('lister') };
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      made.push((await makeBook({ status: index % 2 ? 'active' : 'draft' }, caller)).id);
      await sleep(2);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listBooks>> = await listBooks(core, caller, { limit: 3, cursor });
      seen.push(...page.data.map((book) => book.id));
      cursor = page.nextCursor;
      await makeBook({}, caller);
    } while (cursor !== null);
    expect(seen).toEqual(made.toReversed());
    const drafts = await listBooks(core, caller, { status: 'draft', limit: 2 });
    expect(drafts.data.map((book) => book.id)).toEqual([made[6], made[4]]);
    await expect(listBooks(core, caller, { cursor: drafts.nextCursor })).rejects.toEqual(refused('invalid-input'));
    const rest = await listBooks(core, caller, { status: 'draft', cursor: drafts.nextCursor });
    expect(rest).toMatchObject({ data: [{ id: made[2] }, { id: made[0] }], nextCursor: null });
  });

  test('of a status that books don’t have, or with a limit or cursor that is none, is invalid-input naming it', async () => {
    for (const [request, path] of [
      [{ status: 'open' }, 'status'],
      [{ status: '' }, 'status'],
      [{ limit: 0 }, 'limit'],
      [{ limit: 1001 }, 'limit'],
      [{ cursor: 'x' }, 'cursor'],
      [{ cursor: '' }, 'cursor'],
    ] as const) {
      const list = async () => listBooks(core, admin, checkInput(BookListRequest, request, 'parameters'));
      expect(await refusalOf(list())).toMatchObject({
        kind: 'invalid-input',
        errors: [{ path }],
      });
    }
  });
});

describe('a change', () => {
  test('raises rev by one, writes down the new rules from their moment on, and shows in the answer', async () => {
    const { id, createdAt } = await makeBook();
    const changed = await changeBook(
      core,
      { ...admin, actor: 'key:9' },
      id,
      { status: 'paused', maxRedemptions: 5 },
      1,
    );
    expect(changed).toMatchObject({ status: 'paused', maxRedemptions: 5, rev: 2, createdAt });
    expect(changed.updatedAt > createdAt).toBe(true);
    expect(await readBook(core, admin, id)).toEqual(changed);
    expect((await revisionsOf(id))[1]).toEqual({
      rev: 2,
      at: new Date(changed.updatedAt),
      actor: 'key:9',
      status: 'paused',
      max_redemptions: 5,
    });
  });

  test('that changes nothing leaves rev, updatedAt and the audit alone, also on a closed book', async () => {
    const book = await makeBook({ metadata: { a: 1, b: 2 } });
    expect(await changeBook(core, admin, book.id, {}, 1)).toEqual(book);
    expect(await changeBook(core, admin, book.id, { status: 'active', metadata: { b: 2, a: 1 } }, null)).toEqual(book);
    const closed = await changeBook(core, admin, book.id, { status: 'closed' }, null);
    expect(await changeBook(core, admin, book.id, { status: 'closed' }, null)).toEqual(closed);
    expect(await revisionsOf(book.id)).toHaveLength(2);
  });

  test('of another revision than the one expected is revision-mismatch and changes nothing', async () => {
    const book = await makeBook();
    await expect(changeBook(core, admin, book.id, { name: 'x' }, 2)).rejects.toEqual(refused('revision-mismatch'));
    await expect(changeBook(core, admin, book.id, { name: 'x' }, 0)).rejects.toEqual(refused('revision-mismatch'));
    expect(await readBook(core, admin, book.id)).toEqual(book);
  });

  test('of a closed book, or to a status that has no way there, is a conflict and changes nothing', async () => {
    const draft = await makeBook({ status: 'draft' });
    await expect(changeBook(core, admin, draft.id, { status: 'paused' }, null)).rejects.toEqual(refused('conflict'));
    const book = await makeBook();
    await expect(changeBook(core, admin, book.id, { status: 'draft' }, null)).rejects.toEqual(refused('conflict'));
    const closed = await changeBook(core, admin, book.id, { status: 'closed' }, null);
    const changes: BookPatch[] = [
      { status: 'active' },
      { status: 'paused' },
      { status: 'draft' },
      { name: 'x' },
      { endsAt: '2030-01-01T00:00:00Z' },
    ];
    for (const input of changes) {
      await expect(changeBook(core, admin, book.id, input, null)).rejects.toEqual(refused('conflict'));
    }
    expect(await readBook(core, admin, book.id)).toEqual(closed);
  });

  test('that is invalid against what the book already says names the field', async () => {
    const book = await makeBook({ timeZone: 'Europe/Berlin', startsAt: '2026-07-01T00:00:00' });
    expect(book.startsAt).toBe('2026-06-30T22:00:00.000Z');
    for (const [input, path] of [
      [{ endsAt: '2026-07-01T00:00:00' }, '/endsAt'],
      [{ endsAt: '2027-03-28T02:30:00' }, '/endsAt'],
      [{ startsAt: '2026-10-25T02:30:00' }, '/startsAt'],
    ] as const) {
      expect(await refusalOf(changeBook(core, admin, book.id, input, null))).toMatchObject({
        kind: 'invalid-input',
        errors: [{ path }],
      });
    }
    expect(await readBook(core, admin, book.id)).toEqual(book);
  });

  test('of 10 with one expected revision, from two processes at once, exactly one is made', async () => {
    const { id } = await makeBook();
    const calls = Array.from({ length: 10 }, (_, index) =>
      refusalOf(changeBook(index % 2 ? core : other, admin, id, { name: `n${index}` }, 1)),
    );
    const kinds = (await Promise.all(calls)).map((refusal) => refusal?.kind ?? 'made');
    expect(kinds.sort()).toEqual(['made', ...Array(9).fill('revision-mismatch')]);
    expect(await readBook(core, admin, id)).toMatchObject({ rev: 2 });
  });

  test('of 10 of different fields, from two processes at once, none is lost and each has its revision', async () => {
    const { id } = await makeBook();
    const inputs = [
      { name: 'm' },
      { description: 'd' },
      { timeZone: 'Asia/Tokyo' },
      { startsAt: '2026-01-01T00:00:00.000Z' },
      { endsAt: '2027-01-01T00:00:00.000Z' },
      { maxCodesPerUser: 3 },
      { maxRedemptionsPerCode: 2 },
      { lockTtlSeconds: 60 },
      { requireLock: true },
      { metadata: { a: 1 } },
    ];
    await Promise.all(inputs.map((input, index) => changeBook(index % 2 ? core : other, admin, id, input, null)));
    expect(await readBook(core, admin, id)).toMatchObject({ ...Object.assign({}, ...inputs), rev: 11 });
    const revisions = await revisionsOf(id);
    expect(revisions.map((revision) => revision.rev)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const times = revisions.map((revision) => revision.at.getTime());
    expect(new Set(times).size).toBe(11);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});

describe('the gate', () => {
  /** Holds a transaction open until it is told to end. */
  function hold(enter: (tx: Transaction) => Promise<void>) {
    const inside = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const done = inTransaction(other.pool, async (tx) => {
      await enter(tx);
      inside.resolve();
      await ended.promise;
    });
    done.catch(inside.reject);
    const end = () => {
      ended.resolve();
      return done;
    };
    return { inside: inside.promise, end };
  }

  const isSettled = async (promise: Promise<unknown>) =>
    Promise.race([promise.then(() => true), sleep(150).then(() => false)]);

  test('lets any number of transactions in at the same time, in whatever order they name their books', async () => {
    const made = [await makeBook(), await makeBook(), await makeBook()];
    const [one, two, three] = (await Promise.all(made.map(({ id }) => bookKeyOf(id)))) as [BookKey, BookKey, BookKey];
    const first = hold((tx) => enterBookGate(tx, 1, [three, one, two, three]));
    const second = hold((tx) => enterBookGate(tx, 1, [two, three]));
    await Promise.all([first.inside, second.inside]);
    const { rows } = await other.pool.query<{ gates: number }>(
      `select count(*)::int as gates from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted
        and objid::int = any($1) and database = (select oid from pg_database where datname = current_database())`,
      [[one, two, three]],
    );
    expect(rows[0]!.gates).toBe(5);
    await Promise.all([first.end(), second.end()]);
  });

  test('a change waits for the transactions inside the gate and for none that come later', async () => {
    const { id } = await makeBook();
    const bookKey = await bookKeyOf(id);
    const early = hold((tx) => enterBookGate(tx, 1, [bookKey]));
    await early.inside;
    const change = changeBook(core, admin, id, { status: 'paused' }, null);
    expect(await isSettled(change)).toBe(false);
    let statusSeen = '';
    const late = inTransaction(other.pool, async (tx) => {
      await enterBookGate(tx, 1, [bookKey]);
      statusSeen = (await readBooksForDecision(tx, 1, [bookKey])).get(bookKey)!.status;
    });
    expect(await isSettled(late)).toBe(false);
    expect((await readBook(core, admin, id)).status).toBe('active');
    await early.end();
    await change;
    await late;
    expect(statusSeen).toBe('paused');
  });

  test('of one book holds up nobody at another’s', async () => {
    const one = await makeBook();
    const another = await makeBook();
    const bookKey = await bookKeyOf(one.id);
    const closed = hold((tx) => closeBookGate(tx, 1, bookKey));
    await closed.inside;
    expect((await changeBook(core, admin, another.id, { status: 'paused' }, null)).status).toBe('paused');
    await closed.end();
  });

  test('under constant traffic from 8 transactions, each of 20 changes is through, and what is decided after its answer is decided by it', async () => {
    const { id } = await makeBook();
    const bookKey = await bookKeyOf(id);
    let answered = 1;
    let isOver = false;
    let decided = 0;
    let slowest = 0;
    const traffic = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const known = answered;
        await inTransaction(other.pool, async (tx) => {
          await enterBookGate(tx, 1, [bookKey]);
          const rules = (await readBooksForDecision(tx, 1, [bookKey])).get(bookKey)!;
          // Each change sets the limit to the revision that it makes.
          expect(rules.maxCodesPerUser ?? 1).toBeGreaterThanOrEqual(known);
          decided += 1;
        });
      }
    });
    for (let rev = 2; rev <= 21; rev += 1) {
      const asked = performance.now();
      answered = (await changeBook(core, admin, id, { maxCodesPerUser: rev }, null)).rev;
      slowest = Math.max(slowest, performance.now() - asked);
      const before = decided;
      while (decided === before) await sleep(1);
    }
    isOver = true;
    await Promise.all(traffic);
    // A change takes milliseconds. One that is overtaken for ever waits until the traffic ends, which is never.
    expect(slowest).toBeLessThan(20_000);
  });

  test('a revision’s time is after every event before it and not after any later one, though events keep whole milliseconds only', async () => {
    const { id } = await makeBook();
    const bookKey = await bookKeyOf(id);
    const waiting = `select from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`;
    // One message for the decision and its COMMIT: nothing but the gate is between them and the change.
    const decide = async (before: () => Promise<void>): Promise<number> => {
      const connection = await other.pool.connect();
      await connection.query('begin');
      await enterBookGate(connection as unknown as Transaction, 1, [bookKey]);
      await before();
      const answers: unknown = await connection.query(
        `select date_trunc('milliseconds', clock_timestamp()) as at; commit`,
      );
      connection.release();
      return (answers as { rows: { at: Date }[] }[])[0]!.rows[0]!.at.getTime();
    };
    for (let round = 1; round <= 50; round += 1) {
      let change: Promise<{ updatedAt: string }> | undefined;
      const early = await decide(async () => {
        change = changeBook(core, admin, id, { maxRedemptions: round }, null);
        while ((await core.pool.query(waiting)).rowCount === 0) await sleep(1);
      });
      const late = await decide(async () => {});
      const since = Date.parse((await change!).updatedAt);
      expect(early).toBeLessThan(since);
      expect(late).toBeGreaterThanOrEqual(since);
    }
  });
});

describe('known books', () => {
  test('a hundred look-ups of one book at the same time are one query, and later ones none', async () => {
    const { id } = await makeBook();
    const query = jest.fn(core.pool.query.bind(core.pool));
    const known = openKnownBooks({ query } as unknown as typeof core.pool);
    const found = await Promise.all(Array.from({ length: 100 }, () => known.bookKeyOf(1, id)));
    expect(new Set(found).size).toBe(1);
    expect(await known.bookKeyOf(1, id.toUpperCase())).toBe(found[0]);
    expect(query).toHaveBeenCalledTimes(1);
  });

  test('a book of another tenant is not known under this one', async () => {
    const { id } = await makeBook({}, stranger);
    expect(await core.knownBooks.bookKeyOf(stranger.tenantId, id)).not.toBeNull();
    expect(await core.knownBooks.bookKeyOf(1, id)).toBeNull();
    expect(await core.knownBooks.presentBookKeyOf(1, id)).toBeNull();
  });

  test('what was not found is asked for again, and what failed is too', async () => {
    const query = jest.fn(core.pool.query.bind(core.pool));
    const known = openKnownBooks({ query } as unknown as typeof core.pool);
    const missing = randomUUID();
    expect([await known.bookKeyOf(1, missing), await known.bookKeyOf(1, missing)]).toEqual([null, null]);
    expect(query).toHaveBeenCalledTimes(2);
    const { id } = await makeBook();
    query.mockImplementationOnce(() => Promise.reject(new Error('lost')));
    await expect(known.bookKeyOf(1, id)).rejects.toThrow('lost');
    expect(await known.bookKeyOf(1, id)).toEqual(expect.any(Number));
    expect(await known.bookKeyOf(1, 'no uuid')).toBeNull();
    expect(query).toHaveBeenCalledTimes(4);
  });
});
