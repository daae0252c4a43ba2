import { loadCoupons } from '../database/load-coupons.ts';
import { type BenchBook, makeGeneratedBook, makeUploadedBook } from '../database/make-book.ts';
import { makeManyBooks } from '../database/make-many-books.ts';
import { type ItemPool, makeItemPool } from '../load/item-pool.ts';
import type { Item } from '../load/wrk-script.ts';
import { measure } from '../measure.ts';
import type { BenchServer } from '../servers/start-server.ts';
import type { Stage } from '../stage.ts';
import type { Plan } from './plan.ts';
import type { Scenario } from './scenario.ts';

/** A database of one size, with a server of its own. */
interface Size {
  name: string;
  server: BenchServer;
  /** Books that no other repeat deals from, where they are small. */
  booksOf(repeat: number): string[];
  /** Codes a book; the load goes on to the next book when one is empty. */
  perBook: number;
  held: ItemPool;
  /** Where millions of rows are there: until most pages have been changed since the checkpoint. */
  warmUpSeconds: number;
}

const smallBook = 1_000;
const mostPerSecond = 9_000;
const fullWarmUpSeconds = 60;

/**
 * Assign and redeem where a book has a thousand codes and nothing else is there, and where books are larger and
 * millions of coupons exist already. The first size is what the others are held against.
 */
export async function flatnessScenarios(stage: Stage, plan: Plan, tell: (line: string) => void): Promise<Scenario[]> {
  const perRun = secondsOf(plan) * mostPerSecond;
  const sizes = await Promise.all([
    makeSmall(stage, plan, perRun),
    ...(plan.quick ? [] : [makeLarge(stage, plan, 'flat_1e6', '10^6 uploaded codes', perRun)]),
    makeLarge(stage, plan, 'flat_1e8', '10^8 codes', perRun),
    makeFull(stage, plan, perRun, tell),
  ]);
  return ['assign', 'redeem'].flatMap((operation) =>
    sizes.map((size) => ({
      name: `${operation}, ${size.name}`,
      part: 'flatness',
      measure: (repeat: number) =>
        measure(stage, {
          load:
            operation === 'assign'
              ? { kind: 'assign', bookIds: size.booksOf(repeat), perBook: size.perBook }
              : { kind: 'redeem', items: size.held.take(repeat < 0 ? size.warmUpSeconds * mostPerSecond : perRun) },
          servers: [size.server],
          seconds: repeat < 0 ? size.warmUpSeconds : secondsOf(plan),
          connections: plan.connections,
          behind: 'postgres',
        }),
    })),
  );
}

/** As long as for a ratio, unless the run is to be a quick one. */
function secondsOf(plan: Plan): number {
  return plan.quick ? plan.sideSeconds : plan.seconds;
}

/** One more than the repeats, to warm up: that one has the number -1. */
function runsOf(plan: Plan): number {
  return plan.repeats + 1;
}

async function makeSmall(stage: Stage, plan: Plan, perRun: number): Promise<Size> {
  const database = await stage.openDatabase('flat_1e3');
  const booksARun = Math.ceil(perRun / smallBook);
  const forAssign = booksARun * runsOf(plan);
  // Coupons for the redeems stand in books of a thousand too.
  const books = await makeManyBooks(database, 2 * forAssign, smallBook);
  const held: Item[] = [];
  for (const book of books.slice(forAssign)) {
    held.push(...(await loadCoupons(database, book, { count: smallBook, users: 'holder', keep: smallBook })));
  }
  return {
    name: '10^3 codes',
    server: await stage.startApi(database),
    booksOf: (repeat) => books.slice((repeat + 1) * booksARun, (repeat + 2) * booksARun).map((book) => book.id),
    perBook: smallBook,
    held: makeItemPool(held),
    warmUpSeconds: secondsOf(plan),
  };
}

async function makeLarge(stage: Stage, plan: Plan, databaseName: string, name: string, perRun: number): Promise<Size> {
  const database = await stage.openDatabase(databaseName);
  const uploaded = databaseName === 'flat_1e6';
  const make = (prefix: string): Promise<BenchBook> =>
    uploaded
      ? makeUploadedBook(database, 1_000_000, prefix)
      : makeGeneratedBook(database, 100_000_000, `${prefix}-##########`);
  const book = await make('DEAL');
  const held = await make('HELD');
  const count = perRun * runsOf(plan);
  return {
    name,
    server: await stage.startApi(database),
    booksOf: () => [book.id],
    perBook: 0,
    held: makeItemPool(await loadCoupons(database, held, { count, users: 'holder', keep: count })),
    warmUpSeconds: secondsOf(plan),
  };
}

async function makeFull(stage: Stage, plan: Plan, perRun: number, tell: (line: string) => void): Promise<Size> {
  const database = await stage.openDatabase('flat_full');
  const book = await makeGeneratedBook(database, 100_000_000, 'DEAL-##########');
  const began = performance.now();
  // Named like the users that the load will bring, so that those fall between them.
  const warmUpSeconds = plan.quick ? secondsOf(plan) : fullWarmUpSeconds;
  const keep = Math.min(plan.existingCoupons, perRun * plan.repeats + warmUpSeconds * mostPerSecond);
  const load = { count: plan.existingCoupons, users: 'user', keep };
  const held = await loadCoupons(database, book, load);
  const seconds = (performance.now() - began) / 1000;
  tell(`${plan.existingCoupons} coupons loaded in ${seconds.toFixed(0)} s`);
  return {
    name: `10^8 codes, 10^${Math.round(Math.log10(plan.existingCoupons))} coupons there`,
    server: await stage.startApi(database),
    booksOf: () => [book.id],
    perBook: 0,
    held: makeItemPool(held),
    warmUpSeconds,
  };
}
