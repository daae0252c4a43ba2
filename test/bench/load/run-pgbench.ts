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

/**
 * Runs a script with prepared statements, each client sending its next transaction when the last one is done. The first
 * third of the time does not count: each connection reads the catalogue and plans its statements then.
 */
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
    String(run.seconds),
    '-P',
    '1',
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
  return {
    transactions: numberAfter(output, 'number of transactions actually processed: '),
    failed: numberAfter(output, 'number of failed transactions: '),
    ...rateOf(output),
  };
}

/**
 * The mean of the seconds that count, and their mean latency; of a run that ended before it told of one, the whole's.
 */
function rateOf(output: string): Pick<PgbenchResult, 'perSecond' | 'meanMillis'> {
  const seconds = [...output.matchAll(/^progress: \S+ s, (\S+) tps, lat (\S+) ms/gm)].map(([, tps, latency]) => ({
    tps: Number(tps),
    latency: Number(latency),
  }));
  if (seconds.length === 0) {
    return { perSecond: numberAfter(output, 'tps = '), meanMillis: numberAfter(output, 'latency average = ') };
  }
  const counted = seconds.slice(Math.floor(seconds.length / 3));
  const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  return { perSecond: mean(counted.map(({ tps }) => tps)), meanMillis: mean(counted.map(({ latency }) => latency)) };
}

function numberAfter(output: string, words: string): number {
  const at = output.indexOf(words);
  if (at < 0) throw new Error(`pgbench did not say “${words}”: ${output.slice(-2_000)}`);
  return Number.parseFloat(output.slice(at + words.length));
}
