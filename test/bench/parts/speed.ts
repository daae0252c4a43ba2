import type { BenchDatabase } from '../database/bench-database.ts';
import { loadCoupons } from '../database/load-coupons.ts';
import { makeGeneratedBook, makePublicBook, makeUploadedBook } from '../database/make-book.ts';
import { makeManyBooks } from '../database/make-many-books.ts';
import { besideCounts } from '../load/ask-counts.ts';
import { makeItemPool } from '../load/item-pool.ts';
import type { Item, Load } from '../load/wrk-script.ts';
import { measure } from '../measure.ts';
import type { BenchServer } from '../servers/start-server.ts';
import type { Stage } from '../stage.ts';
import { type ModerateOperation, moderateRequests } from './moderate-load.ts';
import type { Plan } from './plan.ts';
import type { Scenario } from './scenario.ts';

const hugeBook = 100_000_000;
const manyBooks = 1_000;
/** Coupons for so many redeems a second are made; a load that has used them up ends early, and counts as long. */
const mostRedeemsPerSecond = 10_000;
/** The same for the day's mix on the base's tasks and without a break, which is measured in stretches. */
export const mostMixedPerSecond = 8_000;
export const stretchSeconds = 15;
/** Screens that ask for the counts of the book once a second each. */
const screens = 100;
/** A part that is run only where it is asked for by its name: everything it needs is made for it. */
const besideScreens = 'lock + redeem beside counts';

/** Books, coupons and codes that the scenarios use up. */
export interface Supplies {
  hot: string;
  uploaded: string;
  /** The public code of a book. */
  publicCode: string;
  books: string[];
  /** Coupons in users' hands, to be redeemed, all of one book. */
  held(count: number): Item[];
  heldBook: string;
  /** Codes that nobody has, to be assigned by name. */
  open(count: number): Item[];
  /** Coupons to look at, never used up. */
  seen: Item[];
}

/** Makes the books and coupons of the scenarios. */
export async function prepareSupplies(database: BenchDatabase, plan: Plan): Promise<Supplies> {
  // One more than the repeats, to warm up.
  const runs = plan.repeats + 1;
  const perRun = plan.seconds * mostRedeemsPerSecond;
  const perSideRun = plan.sideSeconds * mostRedeemsPerSecond;
  const hot = await makeGeneratedBook(database, hugeBook);
  const uploaded = await makeUploadedBook(database, perSideRun * runs);
  const publicCode = 'EVERYBODY20';
  await makePublicBook(database, publicCode);
  const named = await makeUploadedBook(database, perSideRun * runs, 'NAMED');
  const held = await makeGeneratedBook(database, hugeBook, 'HELD-##########');
  const books = (await makeManyBooks(database, manyBooks, 1_000_000)).map((book) => book.id);
  // For the redeems at full and at moderate load, for lock + redeem, and for the day's mix twice, on the base's
  // tasks, and without a break.
  const stretches = Math.ceil(plan.steadySeconds / stretchSeconds);
  const mixes =
    2 * runs * mixItems(perSideRun) +
    (plan.quick ? 0 : 2 * runs * mixItems(plan.seconds * mostMixedPerSecond)) +
    stretches * mixItems(stretchSeconds * mostMixedPerSecond);
  const sideRuns = plan.only.includes(besideScreens) ? 2 * runs : runs;
  const count = perRun * runs + perSideRun * sideRuns + moderateRequests(plan, mostRedeemsPerSecond) + mixes;
  const coupons = await loadCoupons(database, held, { count, users: 'holder', keep: count });
  const heldPool = makeItemPool(coupons);
  const openPool = makeItemPool(await readOpenCodes(database, named.deckKey));
  return {
    hot: hot.id,
    uploaded: uploaded.id,
    publicCode,
    books,
    held: (count) => heldPool.take(count),
    heldBook: held.id,
    open: (count) => openPool.take(count),
    seen: coupons.slice(-20_000),
  };
}

async function readOpenCodes({ client }: BenchDatabase, deckKey: number): Promise<Item[]> {
  const { rows } = await client.query<{ code: string }>('select code from deck_codes where deck_id = $1 order by pos', [
    deckKey,
  ]);
  return rows.map(({ code }, k) => ({ code, userId: `named-${k.toString(16).padStart(10, '0')}` }));
}

/** What every scenario of this part runs on. */
export interface SpeedStage {
  stage: Stage;
  plan: Plan;
  supplies: Supplies;
  one: BenchServer;
  /** Three processes, of which that is one; none in a quick run. */
  three: BenchServer[];
}

/** The scenarios of the product. */
export function speedScenarios(parts: SpeedStage): Scenario[] {
  const { stage, plan, supplies, one, three } = parts;
  const perSideRun = plan.sideSeconds * mostRedeemsPerSecond;
  const redeem = (seconds: number): Load => ({
    kind: 'redeem',
    items: supplies.held(seconds * mostRedeemsPerSecond),
  });
  const assignTo = (...bookIds: string[]): Load => ({ kind: 'assign', bookIds, perBook: 0 });
  const make = (name: string, load: () => Load, servers = [one], seconds = plan.sideSeconds): Scenario => ({
    name,
    part: 'product',
    // To warm up, any length will do.
    measure: (repeat) =>
      measure(stage, {
        load: load(),
        servers,
        seconds: repeat < 0 ? plan.sideSeconds : seconds,
        connections: plan.connections,
        behind: 'postgres',
      }),
  });
  return [
    make('assign', () => assignTo(supplies.hot), [one], plan.seconds),
    make('redeem', () => redeem(plan.seconds), [one], plan.seconds),
    make('public redeem', () => ({ kind: 'redeem-public', publicCode: supplies.publicCode }), [one], plan.seconds),
    make('assign, uploaded deck', () => assignTo(supplies.uploaded)),
    make('assign, 1,000 books', () => assignTo(...supplies.books)),
    make('assign by code', () => ({ kind: 'assign-code', items: supplies.open(perSideRun) })),
    make('validate', () => ({ kind: 'validate', items: supplies.seen })),
    make('lock + redeem', () => ({ kind: 'lock-redeem', items: supplies.held(perSideRun) })),
    ...(plan.only.includes(besideScreens) ? [beside(parts)] : []),
    make('list a user’s coupons', () => ({ kind: 'list', items: supplies.seen })),
    make('the day’s mix', () => mixOf(supplies, perSideRun)),
    ...(three.length === 0
      ? []
      : [
          make('assign, three processes', () => assignTo(supplies.hot), three),
          make('the day’s mix, three processes', () => mixOf(supplies, perSideRun), three),
        ]),
  ];
}

/** Checkouts while screens ask for the counts of their book, which change all the time. */
function beside({ stage, plan, supplies, one }: SpeedStage): Scenario {
  const askers = { address: one.address, token: stage.token, bookId: supplies.heldBook, count: screens };
  return {
    name: besideScreens,
    part: 'product',
    measure: () =>
      besideCounts(askers, () =>
        measure(stage, {
          load: { kind: 'lock-redeem', items: supplies.held(plan.sideSeconds * mostRedeemsPerSecond) },
          servers: [one],
          seconds: plan.sideSeconds,
          connections: plan.connections,
          behind: 'postgres',
        }),
      ),
  };
}

/** The operations whose response times are measured at moderate load. */
export function moderateOperations({ supplies, one }: SpeedStage): ModerateOperation[] {
  const common = {
    part: 'moderate load',
    server: one,
    behind: 'postgres',
    mostPerSecond: mostRedeemsPerSecond,
  } as const;
  return [
    { ...common, name: 'assign', load: () => ({ kind: 'assign', bookIds: [supplies.hot], perBook: 0 }) },
    { ...common, name: 'redeem', load: (requests) => ({ kind: 'redeem', items: supplies.held(requests) }) },
  ];
}

/** The day's mix over the hot book, with coupons for the locks and redeems of so many requests. */
export function mixOf(supplies: Supplies, requests: number): Load {
  return { kind: 'mix', bookIds: [supplies.hot], items: supplies.held(mixItems(requests)), fresh: supplies.seen };
}

/** Of 22 requests three lock; some coupons are locked and not redeemed when a load ends. */
function mixItems(requests: number): number {
  return Math.ceil((requests * 3) / 22) + 4_000;
}
