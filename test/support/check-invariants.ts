import { Client, Pool } from 'pg';
import { settleEvents } from '../../core/events/settled-events.ts';
import { readInvariants } from '../../core/restore/read-invariants.ts';
import { countAll } from './settle-all.ts';

/**
 * Settles and counts the events that are there, so that what reports say is held against them: a first round finds a
 * candidate, and the second one settles it unless a transaction still runs.
 */
async function countForReports(databaseUrl: string): Promise<void> {
  const backgroundPool = new Pool({ connectionString: databaseUrl, max: 1 });
  try {
    await settleEvents({ backgroundPool });
    await settleEvents({ backgroundPool });
    await countAll({ backgroundPool });
  } finally {
    await backgroundPool.end();
  }
}

/** Runs every invariant and returns those that are broken, with the rows that break them; empty where all are kept. */
export async function findBrokenInvariants(databaseUrl: string): Promise<{ name: string; rows: unknown[] }[]> {
  await countForReports(databaseUrl);
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const broken: { name: string; rows: unknown[] }[] = [];
    for (const { name, query } of await readInvariants()) {
      const { rows } = await client.query(query);
      if (rows.length > 0) broken.push({ name, rows: rows.slice(0, 5) });
    }
    return broken;
  } finally {
    await client.end();
  }
}
