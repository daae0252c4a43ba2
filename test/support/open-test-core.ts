import type { Caller } from '../../core/caller.ts';
import type { Core } from '../../core/core.ts';
import { type Config, closeCore, openCore, readConfig, silentLog } from '../../core/index.ts';
import type { CoreParts } from '../../core/open-core.ts';
import { createTestDatabase, type TestDatabase } from './start-postgres.ts';

/** Secrets of the tests, good for nothing else. */
export const testSecrets = {
  CODE_SECRET: 'a code secret for tests, 32 characters and more',
  JWT_SECRET: 'a JWT secret for tests, 32 characters and more',
  QURABLE_ADMIN_KEY: 'qk_the-root-key-of-the-tests-which-is-long-enough',
};

/** A database of a test file's own with a core over it. */
export interface TestCore {
  core: Core;
  database: TestDatabase;
  /** Opens another core on the same database, as another process would have. */
  openAnother(parts?: Partial<CoreParts>, more?: Record<string, string>): Promise<Core>;
  close(): Promise<void>;
}

/**
 * Opens a core on a new database.
 * @param more environment variables beside the tests' own
 */
export async function openTestCore(
  name: string,
  parts: Partial<CoreParts> = {},
  more: Record<string, string> = {},
): Promise<TestCore> {
  const database = await createTestDatabase(name);
  const opened: Core[] = [];
  const openAnother = async (otherParts: Partial<CoreParts> = parts, otherMore = more) => {
    const core = await openCore(testConfig(database.url, otherMore), { log: silentLog, ...otherParts });
    opened.push(core);
    return core;
  };
  return {
    core: await openAnother(),
    database,
    openAnother,
    close: async () => {
      await Promise.all(opened.map((core) => closeCore(core)));
      await database.drop();
    },
  };
}

/** The configuration of a core or an API on this database. */
export function testConfig(databaseUrl: string, more: Record<string, string> = {}): Config {
  return readConfig({ DATABASE_URL: databaseUrl, HOST: '127.0.0.1', LOG_LEVEL: 'silent', ...testSecrets, ...more });
}

/** An administrator of the first tenant. */
export const admin: Caller = { tenantId: 1, role: 'admin', actor: 'root', customerId: null };

/** A customer of the first tenant. */
export function customer(id: string): Caller {
  return { tenantId: 1, role: 'customer', actor: 'customer', customerId: id };
}
