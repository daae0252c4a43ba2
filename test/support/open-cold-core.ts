import type pg from 'pg';
import { type KnownCallers, openKnownCallers } from '../../core/access/known-callers.ts';
import { type KnownBooks, openKnownBooks } from '../../core/books/known-books.ts';
import { BoundedMap, cacheMaxEntries } from '../../core/bounded-map.ts';
import type { Caller } from '../../core/caller.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { type Config, readConfig } from '../../core/config.ts';
import { type ColdTurns, openColdTurns } from '../../core/db/cold-turns.ts';
import { openPool } from '../../core/db/pool.ts';
import { type Cursors, openCursors } from '../../core/paging.ts';
import { type Random, systemRandom } from '../../core/random.ts';

/** As much of a Core as the operations need that are not on the hot path; each stands for a process of its own. */
export interface ColdCore {
  config: Config;
  clock: Clock;
  random: Random;
  pool: pg.Pool;
  coldPool: pg.Pool;
  coldTurns: ColdTurns;
  readPool: pg.Pool;
  knownApiKeys: KnownCallers;
  knownTenants: BoundedMap<string, number>;
  knownBooks: KnownBooks;
  cursors: Cursors;
  close(): Promise<void>;
}

/** The bootstrap key of every ColdCore. */
export const rootKey = 'qk_root_key_of_the_tests_0123456789';

/** An admin of the tenant `default`, which is the first one and so has the internal id 1. */
export const admin: Caller = { tenantId: 1, role: 'admin', actor: 'key:1', customerId: null };

/** Opens a pool and empty caches on a test's database. */
export function openColdCore(url: string, clock: Clock = systemClock, max = 10): ColdCore {
  const pool = openPool({ connectionString: url }, { max, applicationName: 'test', onError: () => {} });
  const config = readConfig({
    DATABASE_URL: url,
    CODE_SECRET: 'a secret of the tests, 32 chars or more',
    QURABLE_ADMIN_KEY: rootKey,
  });
  return {
    config,
    clock,
    random: systemRandom,
    pool,
    coldPool: pool,
    coldTurns: openColdTurns(),
    readPool: pool,
    knownApiKeys: openKnownCallers(clock),
    knownTenants: new BoundedMap(cacheMaxEntries),
    knownBooks: openKnownBooks(pool),
    cursors: openCursors(config.codeSecret, systemRandom),
    close: () => pool.end(),
  };
}
