import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/** What pgbench is to do. */
export interface PgbenchRun {
  databaseUrl: string;
  script: string;
  variables: Record<string, number>;
  clients: number;
  seconds: number;
  directory: string;
  processors: string | null;
}

/** What pgbench saw. */
export interface PgbenchResult {
  transactions: number;
  perSecond: number;
  meanMillis: number;
  failed: number;
}

/** Runs a script with prepared statements, each client sending its next transaction when the last one is done. */
export async function runPgbench(run: PgbenchRun): Promise<PgbenchResult> {
  const file = join(run.directory, 'transaction.sql');
  writeFileSync(file, run.script);
  const variables = Object.entries(run.variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  const size = [
    '-c',
    String(run.clients),
    '-j',
    String(Math.min(2, run.clients)),
    '-T',
    String(Math.ceil(run.seconds)),
  ];
  const url = new URL(run.databaseUrl);
  const { output } = await runProgram(
    [
      'pgbench',
      '-n',
      '-M',
      'prepared',
      ...size,
      '-f',
      file,
      ...variables,
      '-h',
      url.hostname,
      '-p',
      url.port,
      '-U',
      url.username,
      url.pathname.slice(1),
    ],
    { environment: { PGPASSWORD: decodeURIComponent(url.password) }, processors: run.processors },
  );
  const transactions = numberAfter(output, 'number of transactions actually processed: ');
  // On a busy disk a second may pass without a commit, and then pgbench gives no rate.
  if (transactions === 0) return { transactions, perSecond: 0, meanMillis: Number.NaN, failed: 0 };
  return {
    transactions,
    perSecond: numberAfter(output, 'tps = '),
    meanMillis: numberAfter(output, 'latency average = '),
    failed: numberAfter(output, 'number of failed transactions: '),
  };
}

function numberAfter(output: string, words: string): number {
  const at = output.indexOf(words);
  if (at < 0) throw new Error(`pgbench did not say “${words}”: ${output.slice(-2_000)}`);
  return Number.parseFloat(output.slice(at + words.length));
}
