import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { SignJWT } from 'jose';
import { Client } from 'pg';
import type { EmbeddedPostgres } from '../../containers/local/postgres/embedded-postgres.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { startTestPostgres } from '../support/start-postgres.ts';
import { type BenchDatabase, openBenchDatabase } from './database/bench-database.ts';
import { allowHugePages } from './database/huge-pages.ts';
import { postgresSettings } from './database/postgres-settings.ts';
import { hasProgram, runProgram } from './load/run-program.ts';
import { type BenchServer, type ServerOptions, startServer } from './servers/start-server.ts';

/** Processors for each side, as `taskset -c` takes them; null where there are too few to give away. */
export interface Processors {
  generator: string | null;
  database: string | null;
  server: string | null;
}

/** Everything that measurements stand on: one PostgreSQL, one directory, and whatever was started here. */
export interface Stage {
  postgres: EmbeddedPostgres;
  /** Deleted with the server's data, however this process ends. */
  directory: string;
  processors: Processors;
  /** Of an operator, as a shop's backend has it. */
  token: string;
  /** To the server itself, for the position of its log. */
  observer: Client;
  openDatabase(name: string): Promise<BenchDatabase>;
  startServer(options: Omit<ServerOptions, 'processors'>): Promise<BenchServer>;
  startApi(database: BenchDatabase, nodeFlags?: string[]): Promise<BenchServer>;
  databases: BenchDatabase[];
  close(): Promise<void>;
}

/**
 * Opens the stage. Its servers and files go when `close` is called or this process ends, even by kill -9.
 * @param moreSettings of PostgreSQL
 */
export async function openStage(moreSettings: Record<string, string> = {}): Promise<Stage> {
  allowHugePages();
  const postgres = await startTestPostgres({ ...postgresSettings, ...moreSettings });
  const directory = join(dirname(postgres.logFile), 'bench');
  mkdirSync(directory);
  const observer = new Client({ connectionString: postgres.url });
  await observer.connect();
  const processors = shareProcessors(availableParallelism());
  // What the postmaster may use, its backends may: they are all started after this.
  if (processors.database !== null && hasProgram('taskset')) {
    await runProgram(['taskset', '-a', '-c', '-p', processors.database, String(postgres.pid)]);
  }
  const servers: BenchServer[] = [];
  const databases: BenchDatabase[] = [];

  const start: Stage['startServer'] = async (options) => {
    const server = await startServer({ ...options, processors: processors.server });
    servers.push(server);
    return server;
  };
  return {
    postgres,
    directory,
    processors,
    token: await makeToken(),
    observer,
    databases,
    openDatabase: async (name) => {
      const database = await openBenchDatabase(name);
      databases.push(database);
      return database;
    },
    startServer: start,
    startApi: (database, nodeFlags) =>
      start({ kind: 'api', environment: { DATABASE_URL: database.url }, ...(nodeFlags ? { nodeFlags } : {}) }),
    close: async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await Promise.all(databases.map((database) => database.close()));
      await observer.end();
      await postgres.stop();
    },
  };
}

/** One for the generator, and the rest in halves. */
function shareProcessors(count: number): Processors {
  if (count <= 2) return { generator: null, database: null, server: null };
  const half = Math.ceil((count - 1) / 2);
  return {
    generator: String(count - 1),
    database: `0-${half - 1}`,
    server: half < count - 1 ? `${half}-${count - 2}` : '0',
  };
}

function makeToken(): Promise<string> {
  return new SignJWT({ sub: 'shop', tenant: 'default', role: 'operator' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('24h')
    .sign(Buffer.from(testSecrets.JWT_SECRET));
}
