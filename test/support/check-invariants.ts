import { readFileSync } from 'node:fs';
import { Client, Pool } from 'pg';
import { countEvents } from '../../core/events/count-events.ts';
import { settleEvents } from '../../core/events/settled-events.ts';

/** The queries of invariants.sql by name. */
const invariants = readFileSync(new URL('invariants.sql', import.meta.url), 'utf8')
  .split(/^-- name: /m)
  .slice(1)
  .map((part) => {
    const end = part.indexOf('\n');
    return { name: part.slice(0, end).trim(), query: part.slice(end) };
  });

/**
 * Settles and counts the events that are there, so that what reports say is held against them: a first round finds a
 * candidate, and the second one settles it unless a transaction still runs.
 */
async function countForReports(databaseUrl: string): Promise<void> {
  const backgroundPool = new Pool({ connectionString: databaseUrl, max: 1 });
  try {
    await settleEvents({ backgroundPool });
    await settleEvents({ backgroundPool });
    while ((await countEvents({ backgroundPool })) === 'more');
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
    for (const { name, query } of invariants) {
      const { rows } = await client.query(query);
      if (rows.length > 0) broken.push({ name, rows: rows.slice(0, 5) });
    }
    return broken;
  } finally {
    await client.end();
  }
}
