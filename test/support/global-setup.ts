import { buildConsoleIfStale } from '../../containers/console/build/build-console.ts';
import type { EmbeddedPostgres } from '../../containers/local/postgres/embedded-postgres.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import { startTestPostgres } from './start-postgres.ts';

declare global {
  /** What a test run is over, handed from Jest's global setup to its global teardown. */
  var qurableTestRun: { folder: RunFolder; postgres: EmbeddedPostgres } | undefined;
}

/** Jest's global setup: a folder and one PostgreSQL for the whole run, and the console as it is in the sources. */
export default async function setUpTestRun(): Promise<void> {
  const folder = openRunFolder();
  await buildConsoleIfStale();
  const postgres = await startTestPostgres({
    // Counts what statements read, for index-lookups.test.ts.
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.max': '20000',
  });
  globalThis.qurableTestRun = { folder, postgres };
}
