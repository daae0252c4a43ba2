import { buildConsoleIfStale } from '../../containers/console/build/build-console.ts';
import type { EmbeddedPostgres } from '../../containers/local/postgres/embedded-postgres.ts';
import { startTestPostgres } from './start-postgres.ts';

declare global {
  /** The test run's PostgreSQL, handed from Jest's global setup to its global teardown. */
  var qurableTestPostgres: EmbeddedPostgres | undefined;
}

/** Jest's global setup: one PostgreSQL for the whole run, and the console as it is in the sources. */
export default async function setUpTestRun(): Promise<void> {
  await buildConsoleIfStale();
  globalThis.qurableTestPostgres = await startTestPostgres({
    // Counts what statements read, for index-lookups.test.ts.
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.max': '20000',
  });
}
