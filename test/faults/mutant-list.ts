import type { LockName } from '../../core/coupons/engine/locks/lock-order.ts';
import { consoleMutants } from './console-mutants.ts';
import { consolePageMutants } from './console-page-mutants.ts';
import { eventMutants } from './event-mutants.ts';
import { webhookMutants } from './webhook-mutants.ts';

/** A lock, a guard or a rule that is taken out, and the test that must notice. */
export interface Mutant {
  takesOut: string;
  file: string;
  /** Each `find` is in the file exactly once. */
  edits: { find: string; replace: string }[];
  testFile: string;
  /** The test's full title, the names of its groups before it, or a part that names it alone. */
  caughtBy: string;
}

const races = 'test/integration/races.test.ts';
const skewedClocks = 'test/integration/skewed-clocks.test.ts';
const commitFate = 'test/integration/commit-fate.test.ts';
const idempotency = 'test/integration/idempotency.test.ts';
const coupons = 'test/http/coupons.test.ts';
const publicCodes = 'test/http/public-codes.test.ts';
const jobs = 'test/integration/jobs.test.ts';

/** What happens without each lock, in the order in which they are taken. */
const locks: Record<LockName, Mutant> = {
  gates: {
    takesOut: "the book's gate on the hot path",
    file: 'core/books/book-gate.ts',
    edits: [
      {
        find: 'select pg_advisory_xact_lock_shared($3, b.book_id) from',
        replace: 'select $3::int, b.book_id from',
      },
    ],
    testFile: races,
    caughtBy: 'nothing is redeemed after the answer to a pause',
  },
  dealers: {
    takesOut: "the dealer's lock",
    file: 'core/decks/dealer-lock.ts',
    edits: [{ find: 'order by book_id for no key update', replace: '' }],
    testFile: races,
    caughtBy: 'of 500 claims on 10 codes',
  },
  holders: {
    takesOut: "the holders' locks",
    file: 'core/coupons/engine/locks/holders.ts',
    edits: [{ find: 'for no key update) as h)', replace: 'limit 1) as h)' }],
    testFile: races,
    caughtBy: 'a user redeems exactly maxRedemptionsPerUser times',
  },
  coupons: {
    takesOut: "the coupons' locks",
    file: 'core/coupons/engine/locks/coupons.ts',
    edits: [{ find: "'for no key update'", replace: "'limit 1'" }],
    testFile: races,
    caughtBy: 'of 300 concurrent redeems',
  },
  counters: {
    takesOut: "the counters' locks",
    file: 'core/coupons/engine/locks/counters.ts',
    edits: [{ find: 'for no key update) as locked', replace: 'limit 1) as locked' }],
    testFile: races,
    caughtBy: 'a book is redeemed exactly maxRedemptions times',
  },
};

/** Each of these was, or could have been, a fault that nobody saw: `npm run test:mutants` shows that a test sees it. */
export const mutants: Mutant[] = [
  ...Object.values(locks),
  {
    takesOut: "the dealer's lock while a deck is voided",
    file: 'core/decks/void-deck.ts',
    edits: [{ find: 'await lockDealers(tx, tenantId, [bookKey]);', replace: '' }],
    testFile: 'test/integration/void-deck.test.ts',
    caughtBy: 'waits for whoever deals from the book',
  },
  {
    takesOut: 'that the first void of a deck stays what it tells',
    file: 'core/decks/void-deck.ts',
    edits: [{ find: 'leftInDeck(deck) === 0 ? {} : ', replace: '' }],
    testFile: 'test/integration/void-deck.test.ts',
    caughtBy: 'of two at once with different reasons, one is told',
  },
  {
    takesOut: "the order of the coupons' locks",
    file: 'core/coupons/engine/locks/coupons.ts',
    edits: [{ find: 'order by deck_id, pos) as place', replace: ') as place' }],
    testFile: races,
    caughtBy: 'batches that lock the same coupons in every order',
  },
  {
    takesOut: 'the count of what limits count after the locks (it is read before the wait)',
    file: 'core/coupons/engine/change-coupons.ts',
    edits: [
      {
        find: 'const bookKeys = [...new Set(locations.map(({ bookKey }) => bookKey))];',
        replace: `const bookKeys = [...new Set(locations.map(({ bookKey }) => bookKey))];
          const early = readUsage(tx, tenantId, locations);`,
      },
      { find: '    readUsage(tx, tenantId, locations),', replace: '    early,' },
    ],
    testFile: races,
    caughtBy: 'a book is redeemed exactly maxRedemptions times',
  },
  {
    takesOut: "the closing of the book's gate for a transfer",
    file: 'core/coupons/transfer-coupon.ts',
    edits: [{ find: 'if (location !== null) await closeBookGate(tx, tenantId, location.bookKey);', replace: '' }],
    testFile: 'test/integration/transfer-coupon.test.ts',
    caughtBy: 'a redeem that began before its coupon changed hands',
  },
  {
    takesOut: 'what a giver carries of the redemptions that it made',
    file: 'core/coupons/engine/usage-sums.ts',
    edits: [{ find: 'select carried_redemptions from', replace: 'select 0 from' }],
    testFile: 'test/integration/transfer-coupon.test.ts',
    caughtBy: 'a redemption counts for whoever made it',
  },
  {
    takesOut: "the former holders' coupons from an erasure",
    file: 'core/users/erase-user.ts',
    edits: [
      { find: 'from former_holders where holder_id = any($2::bigint[])', replace: 'from former_holders where false' },
    ],
    testFile: 'test/integration/transfer-coupon.test.ts',
    caughtBy: 'an erasure reaches what the user wrote on coupons that it gave away',
  },
  {
    takesOut: "the closing of the book's gate",
    file: 'core/books/book-gate.ts',
    edits: [
      { find: 'select pg_advisory_xact_lock($3, asked.book_id) from', replace: 'select $3::int, asked.book_id from' },
    ],
    testFile: races,
    caughtBy: 'nothing is redeemed after the answer to a pause',
  },
  {
    takesOut: "a fresh look at the book's rules (they are remembered for half a second)",
    file: 'core/books/read-book-rules.ts',
    edits: [
      {
        find: 'if (bookKeys.length === 0) return new Map();',
        replace: `if (bookKeys.length === 0) return new Map();
          const remembered = (globalThis.rememberedRules ??= new Map());
          const known = remembered.get(bookKeys.join());
          if (known !== undefined && performance.now() < known.until) return known.rules;`,
      },
      {
        find: 'return new Map(answer.rows.map((book) => [book.bookKey, book]));',
        replace: `const rules = new Map(answer.rows.map((book) => [book.bookKey, book]));
          remembered.set(bookKeys.join(), { rules, until: performance.now() + 500 });
          return rules;`,
      },
    ],
    testFile: races,
    caughtBy: 'nothing is redeemed after the answer to a pause',
  },
  {
    takesOut: 'the gates of the books of a user who is erased',
    file: 'core/users/erase-user.ts',
    edits: [{ find: 'for (const bookKey of bookKeys) await closeBookGate(tx, tenantId, bookKey);', replace: '' }],
    testFile: 'test/integration/erase-user.test.ts',
    caughtBy: 'a redeem that is inside the gate when the erasure comes',
  },
  {
    takesOut: 'the clock after the last lock (it is read before the wait)',
    file: 'core/coupons/engine/read-clock-and-keys.ts',
    edits: [
      {
        find: "date_trunc('milliseconds', clock_timestamp())",
        replace: "date_trunc('milliseconds', transaction_timestamp())",
      },
    ],
    testFile: races,
    caughtBy: 'a redeem that waited for a lock',
  },
  {
    takesOut: "the database's clock where coupons change (the process's decides)",
    file: 'core/coupons/engine/change-coupons.ts',
    edits: [
      {
        find: 'prepare: (tx, targets, seen) => prepare(tx, tenantId, targets, seen),',
        replace: `prepare: async (tx, targets, seen) => ({
          ...(await prepare(tx, tenantId, targets, seen)), now: new Date(core.clock.now()) }),`,
      },
    ],
    testFile: skewedClocks,
    caughtBy: 'lets go of a lock when it has expired',
  },
  {
    takesOut: "the database's clock where codes are dealt (the process's decides)",
    file: 'core/coupons/engine/deal-codes.ts',
    edits: [{ find: 'openDealState(seen)', replace: 'openDealState({ ...seen, now: new Date(core.clock.now()) })' }],
    testFile: skewedClocks,
    caughtBy: 'ends a book when it ends',
  },
  {
    takesOut: "the database's clock where coupons are looked at (the process's decides)",
    file: 'core/coupons/engine/look-at-coupons.ts',
    edits: [
      {
        find: 'return { coupons, books, usage, now, left };',
        replace: 'return { coupons, books, usage, now: new Date(core.clock.now()), left };',
      },
    ],
    testFile: skewedClocks,
    caughtBy: 'ends a book when it ends',
  },
  {
    takesOut: 'the look at used idempotency keys',
    file: 'core/coupons/engine/read-clock-and-keys.ts',
    edits: [{ find: 'key_hash = asked.key_hash limit 1', replace: 'key_hash = asked.key_hash and false limit 1' }],
    testFile: races,
    caughtBy: 'one idempotency key in flight',
  },
  {
    takesOut: 'the look at clock and keys after the locks, where codes are dealt',
    file: 'core/coupons/engine/deal-codes.ts',
    edits: [
      {
        find: 'const keyHashes = targets.flatMap(({ command }) => command.keyed?.keyHash ?? []);',
        replace: `const keyHashes = targets.flatMap(({ command }) => command.keyed?.keyHash ?? []);
          const early = readClockAndKeys(tx, tenantId, keyHashes);`,
      },
      { find: '    readClockAndKeys(tx, tenantId, keyHashes),', replace: '    early,' },
    ],
    testFile: idempotency,
    caughtBy: 'is known to whoever sees what was done under it',
  },
  {
    takesOut: 'the second try after another process used the key',
    file: 'core/db/retry-transaction.ts',
    edits: [{ find: "constraintOf(error) === 'idempotency_pk'", replace: "constraintOf(error) === 'none'" }],
    testFile: races,
    caughtBy: 'one idempotency key for two books at once',
  },
  {
    takesOut: 'the key of an unlock',
    file: 'core/coupons/engine/write-events.ts',
    edits: [
      {
        find: 'pending.map(({ keyed }) => keyed?.keyHash ?? null)',
        replace: "pending.map(({ keyed, change }) => (change.kind === 'unlocked' ? null : (keyed?.keyHash ?? null)))",
      },
    ],
    testFile: idempotency,
    caughtBy: 'an unlock repeated after its success',
  },
  {
    takesOut: "the key of a lock's renewal",
    file: 'core/coupons/engine/write-events.ts',
    edits: [
      {
        find: 'pending.map(({ keyed }) => keyed?.keyHash ?? null)',
        replace:
          "pending.map(({ keyed, change }) => (change.kind === 'lock-renewed' ? null : (keyed?.keyHash ?? null)))",
      },
    ],
    testFile: idempotency,
    caughtBy: 'the renewal of a lock repeated after its success',
  },
  {
    takesOut: 'the past from a replay (it shows the redemptions of now)',
    file: 'core/coupons/engine/replay-changes.ts',
    edits: [{ find: 'e.redemptions,', replace: 'c.redemptions,' }],
    testFile: idempotency,
    caughtBy: 'a redeem repeated after its subject has changed further',
  },
  {
    takesOut: "the lock's token",
    file: 'core/coupons/rules/coupon-rules.ts',
    edits: [
      {
        find: 'if (lockToken !== null && isLockToken(lockToken)) return null;',
        replace: 'if (lockToken !== null) return null;',
      },
    ],
    testFile: races,
    caughtBy: 'a token that expired and was granted anew',
  },
  {
    takesOut: 'the look whether the lock of a token is live',
    file: 'core/coupons/rules/coupon-rules.ts',
    edits: [{ find: 'if (lockToken === null) return null;', replace: 'return null;' }],
    testFile: 'test/unit/coupon-rules.test.ts',
    caughtBy: 'it is live just before its expiry and gone exactly at it',
  },
  {
    takesOut: "a lock's number from its renewal (it is raised, as a grant raises it)",
    file: 'core/coupons/rules/coupon-rules.ts',
    edits: [
      {
        find: "changed('lock-renewed', act.actor, coupon, { lockExpiresAt })",
        replace: "changed('lock-renewed', act.actor, coupon, { lockExpiresAt, fence: coupon.fence + 1 })",
      },
    ],
    testFile: 'test/unit/coupon-rules.test.ts',
    caughtBy: 'a renewal keeps the token and counts from now',
  },
  {
    takesOut: "the slot that a voided coupon gives back to its holder's limit",
    file: 'core/coupons/engine/holders.ts',
    edits: [{ find: 'where not c.voided)', replace: ')' }],
    testFile: coupons,
    caughtBy: 'voiding one frees its slot',
  },
  {
    takesOut: 'the look at codes taken by name',
    file: 'core/decks/draw-rules.ts',
    edits: [{ find: 'while (deck.taken.has(deck.nextPos)) passTaken(deck);', replace: '' }],
    testFile: races,
    caughtBy: 'codes assigned by name while the dealer deals',
  },
  {
    takesOut: 'the count of codes taken by name that the deal has passed',
    file: 'core/decks/draw-rules.ts',
    edits: [{ find: 'deck.takenAhead -= 1;', replace: '' }],
    testFile: 'test/unit/draw-rules.test.ts',
    caughtBy: 'it passes positions that were taken, and forgets them',
  },
  {
    takesOut: 'the marks of codes taken by name, which a restored database is told by',
    file: 'core/coupons/engine/deal-codes.ts',
    edits: [{ find: 'namedCode !== null && pos >=', replace: 'false && pos >=' }],
    testFile: 'test/integration/after-restore.test.ts',
    caughtBy: 'are out of the process before COMMIT, for codes that are drawn, taken and voided',
  },
  {
    takesOut: 'the marks of what is dealt, before its COMMIT',
    file: 'core/coupons/engine/deal-codes.ts',
    edits: [{ find: 'markDealt(core.deckMarks, tenantId, state), codesAt', replace: 'null, codesAt' }],
    testFile: 'test/integration/after-restore.test.ts',
    caughtBy: 'are out of the process before COMMIT, for codes that are drawn, taken and voided',
  },
  {
    takesOut: "the tenant's lock on codes",
    file: 'core/decks/tenant-codes-lock.ts',
    edits: [{ find: 'select pg_advisory_xact_lock($2, tenant_id) from', replace: 'select $2::int, tenant_id from' }],
    testFile: races,
    caughtBy: 'of two overlapping patterns at once',
  },
  {
    takesOut: 'the order of the answers to an assign of a batch',
    file: 'core/coupons/assign-batch.ts',
    edits: [{ find: 'results.push(outcome.body);', replace: 'results.unshift(outcome.body);' }],
    testFile: coupons,
    caughtBy: 'a coupon or a problem for each user, in order',
  },
  {
    takesOut: 'the wait for the answer to COMMIT',
    file: 'core/db/transaction.ts',
    edits: [
      {
        find: 'await together([...sent.answers, commit(statements)]);',
        replace: 'void together([...sent.answers, commit(statements)]).catch(() => {});',
      },
    ],
    testFile: commitFate,
    caughtBy: 'none is answered before COMMIT’s answer',
  },
  {
    takesOut: 'the doubt about a COMMIT whose answer was lost (it is told as done)',
    file: 'core/db/transaction.ts',
    edits: [
      {
        find: 'await together([...sent.answers, commit(statements)]);',
        replace: `await together([...sent.answers, commit(statements)]).catch((error: unknown) => {
            if (sqlStateOf(error) !== null) throw error;
          });`,
      },
    ],
    testFile: commitFate,
    caughtBy: 'a redeem whose connection is cut before COMMIT arrives',
  },
  {
    takesOut: 'the look inside the gate whether a public code is the book’s still',
    file: 'core/coupons/engine/decide-deal.ts',
    edits: [{ find: 'return book?.publicCode === publicCode ? book : null;', replace: 'return book ?? null;' }],
    testFile: 'test/integration/public-code-race.test.ts',
    caughtBy: 'that the book’s opening overtakes',
  },
  {
    takesOut: 'the look for a coupon that somebody else has dealt to the user meanwhile',
    file: 'core/coupons/engine/decide-deal.ts',
    edits: [{ find: 'if (holder.own !== null) return new Redirect(null);', replace: '' }],
    testFile: races,
    caughtBy: 'a user who brings a public code 300 times at once',
  },
  {
    takesOut: 'the coupon that the same batch has dealt to the user before',
    file: 'core/coupons/engine/decide-deal.ts',
    edits: [
      {
        find: 'const dealt = state.dealtTo.get(holderMapKey(bookKey, userId));',
        replace: 'const dealt = undefined as DealtCoupon | undefined;',
      },
    ],
    testFile: 'test/integration/public-code-race.test.ts',
    caughtBy: 'uses of a public code by a new user that come in one batch are of one coupon',
  },
  {
    takesOut: "the counter's lock where a coupon is dealt and redeemed",
    file: 'core/coupons/engine/locks/counters.ts',
    edits: [{ find: 'if (bookKeys.length > 0) await lockCountersOfBooks(tx, tenantId, bookKeys);', replace: '' }],
    testFile: races,
    caughtBy: 'first and later redeems by a public code share the limit of the book',
  },
  {
    takesOut: 'the one coupon a user of a public code',
    file: 'core/coupons/rules/coupon-rules.ts',
    edits: [{ find: 'book.publicCode === null ? book.maxCodesPerUser : 1', replace: 'book.maxCodesPerUser' }],
    testFile: publicCodes,
    caughtBy: 'has one coupon, whatever maxCodesPerUser says',
  },
  {
    takesOut: 'the patterns that could produce a public code',
    file: 'core/decks/public-codes.ts',
    edits: [{ find: 'if (match !== null) {', replace: 'if (match !== null && code === "") {' }],
    testFile: publicCodes,
    caughtBy: 'that a pattern could produce',
  },
  {
    takesOut: 'the draft that a public code may be changed in',
    file: 'core/books/book-rules.ts',
    edits: [
      { find: "before.publicCode !== after.publicCode && before.status !== 'draft'", replace: 'before === after' },
    ],
    testFile: publicCodes,
    caughtBy: 'changed, set or given up once the book is open',
  },
  {
    takesOut: 'what tells the bringer of a public code from a guesser',
    file: 'containers/api/rules/guess-throttle.ts',
    edits: [{ find: ' && refusal.isKnownCode !== true', replace: '' }],
    testFile: publicCodes,
    caughtBy: 'are not told from those who bring a public code',
  },
  {
    takesOut: 'ROLLBACK after an error',
    file: 'core/db/transaction.ts',
    edits: [{ find: 'if (!lease.isBroken) await rollBack(lease, statements);', replace: 'if (!lease.isBroken) {}' }],
    testFile: commitFate,
    caughtBy: 'before it has sent anything leaves no open transaction in the pool',
  },
  ...consoleMutants,
  ...consolePageMutants,
  {
    takesOut: 'the fence of a job (a worker goes on that another one has replaced)',
    file: 'core/jobs/job-step.ts',
    edits: [{ find: 'and fence = $3 and step = $4', replace: 'and fence >= $3 and step >= $4' }],
    testFile: jobs,
    caughtBy: 'a worker that was frozen past its lease does nothing more',
  },
  {
    takesOut: "the lock of a job's row in a step",
    file: 'core/jobs/job-step.ts',
    edits: [{ find: "status = 'running' for no key update", replace: "status = 'running'" }],
    testFile: jobs,
    caughtBy: 'of two workers that read the same, one carries the step out, and the other one waits for it',
  },
  {
    takesOut: 'the loss of steps that had read a user before the erasure',
    file: 'core/jobs/erase-from-jobs.ts',
    edits: [
      { find: "text: 'update jobs set step = step + 1 where", replace: "text: 'update jobs set step = step where" },
    ],
    testFile: jobs,
    caughtBy: 'a user who is erased between the reading of a step and its transaction gets nothing',
  },
  {
    takesOut: "the transaction that a job's progress shares with its effects",
    file: 'core/coupons/engine/decide-batch.ts',
    edits: [
      {
        find: 'companion.write(tx, new Map(',
        replace: 'companion.write({ ...tx, send: (statement) => void pool.query(statement) }, new Map(',
      },
    ],
    testFile: jobs,
    caughtBy: 'a step that fails half-way leaves neither effects nor progress',
  },
  {
    takesOut: 'what a process does itself while Redis is away',
    file: 'core/throttling/request-pace.ts',
    edits: [
      {
        find: 'import { rateKey } from',
        replace: "import { unavailable } from '../errors.ts';\nimport { rateKey } from",
      },
      {
        find: '        const now = clock.monotonic();\n        if (redis === null',
        replace:
          "        const now = clock.monotonic();\n        if (redis?.status === 'away') throw unavailable('not-begun', 'Redis is away.', 1);\n        if (redis === null",
      },
    ],
    testFile: 'test/integration/redis-loss.test.ts',
    caughtBy: 'a Redis that hangs, and goes on again, costs no wrong answer and no 5xx',
  },
  ...eventMutants,
  ...webhookMutants,
];
