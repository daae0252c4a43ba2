import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';
import { type Item, type Load, writeWrkScript } from './wrk-script.ts';

/** Where and how hard to send a load. */
export interface WrkTarget {
  /** Each gets a thread of the generator and an equal part of the connections. */
  addresses: string[];
  token: string;
  connections: number;
  seconds: number;
  /** Requests a second to aim at; null: as many as there can be. */
  pace: number | null;
  /** For the script and its items. */
  directory: string;
  processors: string | null;
}

/** What the generator saw. */
export interface WrkResult {
  /** Answers with a status below 400. */
  succeeded: number;
  /** Answers with another status, and connections that broke. */
  failed: number;
  seconds: number;
  p50Millis: number;
  p99Millis: number;
  maxMillis: number;
  generatorCpuSeconds: number;
}

/** Sends a load with wrk and waits for its end. */
export async function runWrk(load: Load, target: WrkTarget): Promise<WrkResult> {
  const { addresses, connections, seconds, directory } = target;
  const run = randomBytes(6).toString('base64url');
  const [script, itemsFile, freshFile] = ['lua', 'items', 'fresh'].map((end) => join(directory, `${run}.${end}`));
  const frame = { ...target, run, itemsFile: itemsFile!, freshFile: freshFile! };
  writeFileSync(itemsFile!, 'items' in load ? linesOf(load.items) : '');
  writeFileSync(freshFile!, 'fresh' in load ? linesOf(load.fresh) : '');
  writeFileSync(script!, writeWrkScript(load, frame));
  const threads = addresses.length;
  const { output, cpuSeconds } = await runProgram(
    [
      'wrk',
      `-t${threads}`,
      `-c${connections}`,
      `-d${Math.ceil(seconds)}s`,
      '--timeout',
      '20s',
      '-s',
      script!,
      addresses[0]!,
    ],
    { processors: target.processors },
  );
  return { ...parseResult(output), generatorCpuSeconds: cpuSeconds };
}

function linesOf(items: Item[]): string {
  return items.map(({ code, userId, lockToken = '' }) => `${code},${userId},${lockToken}\n`).join('');
}

function parseResult(output: string): Omit<WrkResult, 'generatorCpuSeconds'> {
  const line = /RESULT ([\d ]+)/.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk gave no result: ${output.slice(-2_000)}`);
  const [requests, micros, refused, broken, p50, p99, max] = line.split(' ').map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    succeeded: requests - refused,
    failed: refused + broken,
    seconds: micros / 1e6,
    p50Millis: p50 / 1000,
    p99Millis: p99 / 1000,
    maxMillis: max / 1000,
  };
}
