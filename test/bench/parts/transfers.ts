import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { testSecrets } from '../../support/open-test-core.ts';
import type { BenchDatabase } from '../database/bench-database.ts';
import { uploadLines } from '../database/make-book.ts';
import { median } from '../figures/median.ts';
import { runProgram } from '../load/run-program.ts';
import type { BenchServer } from '../servers/start-server.ts';
import type { Stage } from '../stage.ts';
import type { Plan } from './plan.ts';

/** Codes a second, each the median of the repeats. */
export interface Transfers {
  codes: number;
  uploadPerSecond: number;
  copyInPerSecond: number;
  exportPerSecond: number;
  copyOutPerSecond: number;
  /** Milliseconds for a book with 10^9 generated codes, over HTTP. */
  billionMillis: number;
}

const headers = { authorization: `Bearer ${testSecrets.QURABLE_ADMIN_KEY}` };

/**
 * Uploads and exports a file of codes over HTTP, and beside it the same file with psql's \copy, into a table that has
 * the least that keeps codes unique: the code as its primary key. The product also shuffles the codes, looks for
 * duplicates and patterns, and writes where each stands.
 */
export async function measureTransfers(
  stage: Stage,
  plan: Plan,
  database: BenchDatabase,
  server: BenchServer,
  tell: (line: string) => void,
): Promise<Transfers> {
  const { uploadedCodes: codes, repeats } = plan;
  const seconds = { upload: [] as number[], copyIn: [] as number[], export: [] as number[], copyOut: [] as number[] };
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const file = join(stage.directory, `upload-${repeat}.csv`);
    await pipeline(Readable.from(uploadLines(codes, `T${repeat}`)), createWriteStream(file));
    const bookId = await createBook(server);
    seconds.copyIn.push(await copyIn(database, file));
    seconds.upload.push(await upload(server, bookId, file, codes));
    seconds.copyOut.push(await copyOut(database, `${file}.out`));
    seconds.export.push(await exportBook(server, bookId, `${file}.out`));
    tell(
      `${repeat + 1}/${repeats} upload ${seconds.upload.at(-1)!.toFixed(2)} s, \\copy ${seconds.copyIn.at(-1)!.toFixed(2)} s`,
    );
  }
  const rate = (times: number[]) => codes / median(times);
  return {
    codes,
    uploadPerSecond: rate(seconds.upload),
    copyInPerSecond: rate(seconds.copyIn),
    exportPerSecond: rate(seconds.export),
    copyOutPerSecond: rate(seconds.copyOut),
    billionMillis: await createBillion(server),
  };
}

async function createBook(server: BenchServer): Promise<string> {
  const answer = await postJson(server, '/v1/books', { name: 'transfers', status: 'active' });
  return answer.id!;
}

async function createBillion(server: BenchServer): Promise<number> {
  const began = performance.now();
  const bookId = await createBook(server);
  await postJson(server, `/v1/books/${bookId}/codes/generate`, {
    count: 1_000_000_000,
    pattern: 'BILLION-####-####-####',
  });
  return performance.now() - began;
}

async function postJson(server: BenchServer, path: string, body: object): Promise<{ id?: string }> {
  const answer = await fetch(`${server.address}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { id?: string };
}

async function upload(server: BenchServer, bookId: string, file: string, codes: number): Promise<number> {
  const began = performance.now();
  const answer = await fetch(`${server.address}/v1/books/${bookId}/codes`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'text/csv', 'content-length': String(statSync(file).size) },
    body: Readable.toWeb(createReadStream(file)),
    duplex: 'half',
  });
  const { accepted } = (await answer.json()) as { accepted?: number };
  if (accepted !== codes) throw new Error(`${accepted} of ${codes} codes were taken`);
  return (performance.now() - began) / 1000;
}

async function exportBook(server: BenchServer, bookId: string, file: string): Promise<number> {
  const began = performance.now();
  const answer = await fetch(`${server.address}/v1/books/${bookId}/codes`, {
    headers: { ...headers, accept: 'text/csv' },
  });
  await pipeline(Readable.fromWeb(answer.body!), createWriteStream(file));
  return (performance.now() - began) / 1000;
}

async function copyIn(database: BenchDatabase, file: string): Promise<number> {
  await database.client.query('drop table if exists bench_copied');
  await database.client.query('create table bench_copied (code text collate "C" primary key)');
  return runCopy(database, `\\copy bench_copied from '${file}'`);
}

async function copyOut(database: BenchDatabase, file: string): Promise<number> {
  const seconds = await runCopy(database, `\\copy bench_copied to '${file}'`);
  await database.client.query('drop table bench_copied');
  return seconds;
}

async function runCopy({ url }: BenchDatabase, command: string): Promise<number> {
  const { seconds } = await runProgram(['psql', '-q', '-X', '-v', 'ON_ERROR_STOP=1', '-c', command], {
    environment: connectionOf(url),
  });
  return seconds;
}

/** As psql takes it: in arguments, every user of the machine could read the password. */
function connectionOf(address: string): Record<string, string> {
  const url = new URL(address);
  return {
    PGHOST: url.hostname,
    PGPORT: url.port,
    PGUSER: url.username,
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: url.pathname.slice(1),
  };
}
