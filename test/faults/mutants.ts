import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A lock or guard that is taken out, and the race that must notice. */
interface Mutant {
  takesOut: string;
  file: string;
  /** Found exactly once in the file. */
  find: string;
  replace: string;
  /** The race's title, or the part of it that names it alone. */
  caughtBy: string;
}

const mutants: Mutant[] = [
  {
    takesOut: "the dealer's lock",
    file: 'core/codes/read-dealt-decks.ts',
    find: 'order by book_id for no key update',
    replace: '',
    caughtBy: 'of 500 claims on 10 codes',
  },
  {
    takesOut: "the coupons' locks",
    file: 'core/coupons/read-coupon-states.ts',
    find: "'for no key update'",
    replace: "'limit 1'",
    caughtBy: 'of 300 concurrent redeems',
  },
  {
    takesOut: "the order of the coupons' locks",
    file: 'core/coupons/read-coupon-states.ts',
    find: 'order by deck_id, pos) as place',
    replace: ') as place',
    caughtBy: 'batches that lock the same coupons in every order',
  },
  {
    takesOut: "the holders' locks",
    file: 'core/coupons/usage-counts.ts',
    find: 'for no key update) as h)',
    replace: 'limit 1) as h)',
    caughtBy: 'a user redeems exactly maxRedemptionsPerUser times',
  },
  {
    takesOut: "the counters' locks",
    file: 'core/coupons/usage-counts.ts',
    find: 'for no key update) as locked',
    replace: 'limit 1) as locked',
    caughtBy: 'a book is redeemed exactly maxRedemptions times',
  },
  {
    takesOut: "the book's gate on the hot path",
    file: 'core/books/book-gate.ts',
    find: 'select pg_advisory_xact_lock_shared($1, book_id) from',
    replace: 'select $1::int, book_id from',
    caughtBy: 'nothing is redeemed after the answer to a pause',
  },
  {
    takesOut: "the closing of the book's gate",
    file: 'core/books/book-gate.ts',
    find: 'select pg_advisory_xact_lock($1, $2::int)',
    replace: 'select $1::int, $2::int',
    caughtBy: 'nothing is redeemed after the answer to a pause',
  },
  {
    takesOut: 'the clock after the last lock (it is read before the wait)',
    file: 'core/idempotency/read-keys.ts',
    find: "date_trunc('milliseconds', clock_timestamp())",
    replace: "date_trunc('milliseconds', transaction_timestamp())",
    caughtBy: 'a redeem that waited for a lock',
  },
  {
    takesOut: 'the look at used idempotency keys',
    file: 'core/idempotency/read-keys.ts',
    find: 'key_hash = asked.key_hash limit 1',
    replace: 'key_hash = asked.key_hash and false limit 1',
    caughtBy: 'one idempotency key in flight',
  },
  {
    takesOut: 'the second try after another process used the key',
    file: 'core/db/retry-transaction.ts',
    find: "constraintOf(error) === 'idempotency_pk'",
    replace: "constraintOf(error) === 'none'",
    caughtBy: 'one idempotency key for two books at once',
  },
  {
    takesOut: "the lock's token",
    file: 'core/coupons/coupon-rules.ts',
    find: 'if (lockToken === String(coupon.fence)) return null;',
    replace: 'if (lockToken !== null) return null;',
    caughtBy: 'a token that expired and was granted anew',
  },
  {
    takesOut: 'the look at codes taken by name',
    file: 'core/codes/draw-rules.ts',
    find: 'while (deck.taken.has(deck.nextPos)) passTaken(deck);',
    replace: '',
    caughtBy: 'codes assigned by name while the dealer deals',
  },
  {
    takesOut: "the tenant's lock on codes",
    file: 'core/codes/tenant-codes-lock.ts',
    find: 'select pg_advisory_xact_lock($1, $2::int)',
    replace: 'select $1::int, $2::int',
    caughtBy: 'of two overlapping patterns at once',
  },
];

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Takes out each lock or guard in a copy of the product and runs the race that is about it: `npm run test:mutants`.
 * A race that stays green without its guard proves nothing, and ends this with exit code 1. A part of what is taken out
 * may be named to try that alone.
 */
function main(wanted: string | undefined): number {
  const chosen = mutants.filter(({ takesOut }) => wanted === undefined || takesOut.includes(wanted));
  const survivors = chosen.filter((mutant) => !isCaught(mutant));
  console.log(`Mutants: ${chosen.length - survivors.length} caught, ${survivors.length} survived`);
  return survivors.length === 0 && chosen.length > 0 ? 0 : 1;
}

function isCaught(mutant: Mutant): boolean {
  const copy = mkdtempSync(join(tmpdir(), 'qurable-mutant-'));
  try {
    for (const part of ['core', 'containers', 'migrations', 'package.json']) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    mutate(join(copy, mutant.file), mutant);
    const caught = !raceIsGreen(mutant.caughtBy, join(copy, 'containers/api/main.ts'));
    console.log(`${caught ? 'caught  ' : 'SURVIVED'}  without ${mutant.takesOut}: "${mutant.caughtBy}…"`);
    return caught;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function mutate(file: string, { find, replace, takesOut }: Mutant): void {
  const text = readFileSync(file, 'utf8');
  if (text.split(find).length !== 2) throw new Error(`the mutant without ${takesOut} no longer fits ${file}`);
  writeFileSync(
    file,
    text.replace(find, () => replace),
  );
}

function raceIsGreen(title: string, api: string): boolean {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const flags = [
    '--no-warnings',
    '--experimental-vm-modules',
    jest,
    '--silent',
    'test/integration/races.test.ts',
    '-t',
    title,
  ];
  const { status } = spawnSync(process.execPath, flags, {
    cwd: root,
    stdio: 'ignore',
    env: { ...process.env, QURABLE_TEST_API_MAIN: api },
  });
  return status === 0;
}

process.exitCode = main(process.argv[2]);
