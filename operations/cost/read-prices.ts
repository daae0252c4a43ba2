import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadInput } from './bad-input.ts';
import { type Exact, exact } from './exact.ts';

/**
 * How sure a rate is: read by this project in AWS's own price file; read there by somebody else; worked out from
 * another rate; or known from no source that can be named.
 */
export type RateStatus = 'verified' | 'second-hand' | 'derived' | 'not-sourced';

/** One rate as the price file has it. */
export interface Rate {
  key: string;
  /** US dollars a unit, as a decimal; for a discount the share that it takes off, from 0 to 1. */
  usd: string;
  unit: string;
  /** AWS's code of the service, and its name of what is used, as its price files have them. */
  service: string;
  usageType: string;
  /** Attributes of AWS's price file that tell apart what shares a usage type. */
  filter?: Record<string, string>;
  /** The day of the price file; null where the source does not tell it. */
  publicationDate: string | null;
  /** Where it was read; empty for a rate that is not sourced. */
  source: string;
  status: RateStatus;
}

/** The rates of a region, each found by its key. */
export interface Prices {
  region: string;
  /** The day on which the rates were gathered. */
  retrieved: string;
  rates: ReadonlyMap<string, Rate>;
  /** @throws BadInput where the file has no such rate */
  rate(key: string): { rate: Rate; usd: Exact };
}

const statuses: RateStatus[] = ['verified', 'second-hand', 'derived', 'not-sourced'];
const day = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** The file with the prices of a region, where the project has one. */
export function priceFileOf(region: string): string {
  return join(import.meta.dirname, `prices-${region}.json`);
}

/**
 * Reads the prices of a region.
 * @param file null: the project's own for that region
 * @throws BadInput where there is none, or it can't be used
 */
export function readPrices(region: string, file: string | null = null): Prices {
  const path = file ?? priceFileOf(region);
  if (!existsSync(path)) {
    throw new BadInput(
      file === null
        ? `region ${region}: there are no prices for it; copy prices-us-east-1.json in operations/cost to prices-${region}.json and put that region's rates in, or name a file with --prices`
        : `--prices ${file}: there is no such file`,
    );
  }
  return parsePrices(readFileSync(path, 'utf8'), region, path);
}

/**
 * Reads the text of a price file.
 * @param path for what is said of it
 * @throws BadInput that names the entry and the mistake
 */
export function parsePrices(text: string, region: string, path: string): Prices {
  const refuse = (why: string): never => {
    throw new BadInput(`the price file ${path}: ${why}`);
  };
  let file: { region?: unknown; retrieved?: unknown; rates?: unknown };
  try {
    file = JSON.parse(text);
  } catch (error) {
    return refuse(`it is not JSON (${(error as Error).message})`);
  }
  if (file?.region !== region)
    refuse(`it is for the region ${JSON.stringify(file?.region)}, and ${region} is asked for`);
  if (!day.test(String(file.retrieved))) refuse('"retrieved" must be a day such as 2026-11-28');
  if (!Array.isArray(file.rates) || file.rates.length === 0) return refuse('"rates" must be a list');
  const rates = new Map<string, Rate>();
  for (const [index, given] of (file.rates as Partial<Rate>[]).entries()) {
    const name = typeof given?.key === 'string' ? given.key : `rate ${index + 1}`;
    const trouble = troubleOf(given);
    if (trouble !== null) refuse(`${name}: ${trouble}`);
    if (rates.has(name)) refuse(`${name} is there twice`);
    rates.set(name, given as Rate);
  }
  return {
    region,
    retrieved: String(file.retrieved),
    rates,
    rate: (key) => {
      const rate = rates.get(key);
      if (rate === undefined) {
        throw new BadInput(
          `the price file ${path} has no rate "${key}", which the template needs: add it with its source`,
        );
      }
      return { rate, usd: exact(rate.usd) };
    },
  };
}

/** What is wrong with an entry; null where nothing is. */
function troubleOf(given: Partial<Rate> | null): string | null {
  if (typeof given !== 'object' || given === null || typeof given.key !== 'string') return '"key" must be text';
  if (typeof given.usd !== 'string' || !/^\d{1,9}(\.\d{1,12})?$/.test(given.usd)) {
    return '"usd" must be a decimal in quotes, such as "0.045"';
  }
  for (const field of ['unit', 'service', 'usageType', 'source'] as const) {
    if (typeof given[field] !== 'string') return `"${field}" must be text`;
  }
  if (!statuses.includes(given.status as RateStatus)) return `"status" must be one of ${statuses.join(', ')}`;
  if (given.publicationDate !== null && !day.test(String(given.publicationDate))) {
    return '"publicationDate" must be a day such as 2026-07-07, or null';
  }
  if (given.status !== 'not-sourced' && given.source === '')
    return `"source" is empty, and the status is ${given.status}`;
  if (given.status === 'verified' && given.publicationDate === null) return 'a verified rate needs its publicationDate';
  return null;
}
