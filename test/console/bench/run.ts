import { parseArgs } from 'node:util';
import { buildConsoleIfStale } from '../../../containers/console/build/build-console.ts';
import { startTestPostgres } from '../../support/start-postgres.ts';
import { findChromium } from '../support/find-chromium.ts';
import { startConsole, type TestConsole } from '../support/start-console.ts';
import { type FirstUse, measureFirstUse } from './measure-first-use.ts';

const usage = `npm run bench:console [-- --books 10000] [--rounds 5]

Says how long it takes until a page of the console can be used, in a browser that has never been there: from the
beginning of its navigation until all that it reads is drawn, by the browser's own clock. Each page is opened so often
as --rounds says, each time by a new visitor. Beside it stand what a visit asks for and how much that is, compressed,
and what it must not do: requests to other origins, violations of the pages' policy, errors. There are --books books,
and one of them has 100,000,000 codes.`;

const hugeDeck = 100_000_000;
const booksAtOnce = 50;

const { values } = parseArgs({
  options: {
    books: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else if (findChromium() === null) {
  console.error('bench:console: there is no Chromium on this machine (apt-get install chromium-headless-shell)');
  process.exitCode = 1;
} else await run();

async function run(): Promise<void> {
  await buildConsoleIfStale();
  const postgres = await startTestPostgres();
  const measured = await startConsole('bench_console');
  try {
    const bookId = await makeBooks(measured, Number(values.books));
    const paths = ['/', '/?q=Book+77', `/books/${bookId}`, `/books/${bookId}/decks`, '/redemptions', '/jobs'];
    const figures: FirstUse[] = [];
    for (const path of paths) figures.push(await measureFirstUse(measured, path, Number(values.rounds)));
    print(figures, bookId);
    process.exitCode = figures.every(({ faults }) => faults.length === 0) ? 0 : 1;
  } finally {
    await measured.close();
    await postgres.stop();
  }
}

/** @returns the one with a hundred million codes */
async function makeBooks(measured: TestConsole, count: number): Promise<string> {
  const make = (name: string, status: string) =>
    measured.call<{ id: string }>('POST', '/v1/books', { name, status, endsAt: '2099-01-01' });
  for (let made = 0; made < count - 1; made += booksAtOnce) {
    const names = Array.from({ length: Math.min(booksAtOnce, count - 1 - made) }, (_book, at) => `Book ${made + at}`);
    await Promise.all(names.map((name, at) => make(name, at % 2 === 0 ? 'active' : 'draft')));
  }
  const { id } = await make('Huge', 'active');
  await measured.call('POST', `/v1/books/${id}/codes/generate`, { count: hugeDeck, pattern: 'HUGE-##-########' });
  await measured.core.pool.query('analyze');
  return id;
}

function print(figures: readonly FirstUse[], bookId: string): void {
  console.log('| page | median, ms | slowest, ms | requests | KB | faults |\n| --- | --- | --- | --- | --- | --- |');
  for (const { path, millis, requests, bytes, faults } of figures) {
    const sorted = millis.toSorted((one, other) => one - other);
    const [median, slowest] = [sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!].map(Math.round);
    const name = path.replace(bookId, '<huge>');
    console.log(
      `| ${name} | ${median} | ${slowest} | ${requests} | ${(bytes / 1_024).toFixed(1)} | ${faults.length} |`,
    );
    for (const fault of faults) console.error(fault);
  }
}
