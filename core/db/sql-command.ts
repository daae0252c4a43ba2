import { parseArgs } from 'node:util';
import pg from 'pg';
import { readDatabase } from '../database-address.ts';
import { databaseLimits } from './database-limits.ts';

const mostRows = 1000;
const usage = `sql: runs statements in the database, for an operator who looks for the cause of something.

  sql [--write] [--timeout <seconds>] "<statements>"

They run in one transaction, which reads only unless --write says otherwise, and are broken off after 60 seconds unless
--timeout says otherwise (at most 3600). Prints a line of JSON a row, at most ${mostRows} of them, and how many there were.
Rows may hold codes and user ids: whatever is printed is as confidential as they are.`;

/** Runs the statements of the command line; see the usage. */
async function run(statements: string, isWriting: boolean, timeoutSeconds: number): Promise<void> {
  const client = new pg.Client({
    ...readDatabase(process.env),
    application_name: 'qurable operator',
    connectionTimeoutMillis: databaseLimits.connectTimeoutMillis,
    statement_timeout: timeoutSeconds * 1000,
    lock_timeout: databaseLimits.lockTimeoutMillis,
    // Of the session, so that statements which end the transaction still read only.
    options: `-c default_transaction_read_only=${isWriting ? 'off' : 'on'}`,
  });
  await client.connect();
  try {
    // As the login itself, which may see and end other sessions (handlers/rotate/database-logins.ts); the API acts as
    // the owner.
    await client.query('set role none');
    await client.query('begin');
    const { rows, commands } = await runAll(client, statements);
    await client.query('commit');
    console.log(
      `${commands.join(', ') || 'nothing to run'}; rows: ${rows}${rows > mostRows ? `, of which ${mostRows} are shown` : ''}`,
    );
  } finally {
    await client.end();
  }
}

/** Prints rows as they come and keeps none: there may be more of them than memory. */
function runAll(client: pg.Client, statements: string): Promise<{ rows: number; commands: string[] }> {
  let rows = 0;
  const commands: string[] = [];
  const query = client.query(new pg.Query(statements));
  query.on('row', (row) => {
    rows += 1;
    if (rows <= mostRows) console.log(JSON.stringify(row));
  });
  return new Promise((resolve, reject) => {
    query.on('error', reject);
    query.on('end', (result) => {
      for (const { command } of [result ?? []].flat()) if (command) commands.push(command);
      resolve({ rows, commands });
    });
  });
}

function seconds(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 3600) throw new Error('--timeout must be 1 to 3600 seconds');
  return number;
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      write: { type: 'boolean', default: false },
      timeout: { type: 'string', default: '60' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) console.log(usage);
  else if (positionals.length !== 1) throw new Error('say the statements, as one argument; --help tells more');
  else await run(positionals[0]!, values.write, seconds(values.timeout));
} catch (error) {
  console.error(`sql: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
