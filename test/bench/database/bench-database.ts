import { Client } from 'pg';
import type { Core } from '../../../core/core.ts';
import { closeCore, openCore, silentLog } from '../../../core/index.ts';
import { testConfig } from '../../support/open-test-core.ts';
import { createTestDatabase } from '../../support/start-postgres.ts';

/** A database of the bench with the product's schema. */
export interface BenchDatabase {
  name: string;
  url: string;
  /** For making books and reading codes; loads go through processes of their own. */
  core: Core;
  /** A connection without the product's settings. */
  client: Client;
  close(): Promise<void>;
}

/** Makes a new database, empty but for the schema. */
export async function openBenchDatabase(name: string): Promise<BenchDatabase> {
  const { url } = await createTestDatabase(name);
  const core = await openCore(testConfig(url), { log: silentLog });
  const client = new Client({ connectionString: url });
  await client.connect();
  return {
    name,
    url,
    core,
    client,
    close: async () => {
      await client.end();
      await closeCore(core);
    },
  };
}
