import { BadInput } from './bad-input.ts';
import { asPackaged, estimateMonth } from './estimate-month.ts';
import type { Load } from './load.ts';
import type { Prices } from './read-prices.ts';
import type { Choices } from './rules/rule.ts';
import type { CostTemplate } from './template.ts';

/** A way to pay less, and what it comes to. */
export interface Saving {
  name: string;
  /** The flag that turns it on in the report. */
  flag: string;
  /** What it takes in return. */
  price: string;
  /** Whether the month that was asked for has it already. */
  isInEffect: boolean;
  /** What a month costs less with it than without it, a load each; null where a rate is not known. */
  cents: (bigint | null)[];
}

interface Way {
  name: string;
  flag: string;
  price: string;
  on: Partial<Choices>;
  off: Partial<Choices>;
}

const ways: Way[] = [
  {
    name: 'Reserved nodes',
    flag: '--reserved',
    price: 'a year of this class of database and cache, used or not',
    on: { reserved: true },
    off: { reserved: false },
  },
  {
    name: 'Savings plan',
    flag: '--savings-plan',
    price: 'a year of the tasks that always run',
    on: { savingsPlan: true },
    off: { savingsPlan: false },
  },
  {
    name: 'Valkey',
    flag: '--valkey',
    price: 'nothing: the same protocol and commands',
    on: { engine: 'valkey' },
    off: { engine: 'redis' },
  },
  {
    name: 'Graviton tasks',
    flag: '--graviton',
    price: 'an image for ARM',
    on: { architecture: 'ARM64' },
    off: { architecture: 'X86_64' },
  },
  {
    name: 'Spot',
    flag: '--spot',
    price: 'tasks beyond the least may be taken back within two minutes, in the middle of a peak',
    on: { spot: true },
    off: { spot: false },
  },
];

/** The choices that flags turn on. */
export function choicesOf(flags: ReadonlySet<string>): Choices {
  const chosen = ways.filter(({ flag }) => flags.has(flag)).map(({ on }) => on);
  return Object.assign({}, asPackaged, ...chosen);
}

/** The flags that there are. */
export const savingFlags = ways.map(({ flag }) => flag);

/** What each way to pay less comes to, everything else as it is chosen. */
export function findSavings(template: CostTemplate, loads: Load[], prices: Prices, chosen: Choices): Saving[] {
  return ways.map(({ name, flag, price, on, off }) => ({
    name,
    flag,
    price,
    isInEffect: hasIt(template, chosen, on),
    cents: loads.map((load) => {
      const without = centsOrNull(template, load, prices, { ...chosen, ...off });
      const having = centsOrNull(template, load, prices, { ...chosen, ...on });
      return without === null || having === null ? null : without - having;
    }),
  }));
}

function hasIt(template: CostTemplate, chosen: Choices, on: Partial<Choices>): boolean {
  if (on.engine !== undefined) {
    const [cache] = template.ofType('AWS::ElastiCache::ReplicationGroup');
    return (chosen.engine ?? cache?.properties.Engine) === on.engine;
  }
  if (on.architecture !== undefined) {
    const definitions = template.ofType('AWS::ECS::TaskDefinition');
    const isAsked = definitions.some(({ properties }) =>
      JSON.stringify(properties.RuntimePlatform).includes(on.architecture!),
    );
    return chosen.architecture === on.architecture || (chosen.architecture === null && isAsked);
  }
  return Object.entries(on).every(([name, value]) => chosen[name as keyof Choices] === value);
}

/** Newer node classes have a rate under one engine only. */
function centsOrNull(template: CostTemplate, load: Load, prices: Prices, choices: Choices): bigint | null {
  try {
    return estimateMonth(template, load, prices, choices).cents;
  } catch (error) {
    if (error instanceof BadInput) return null;
    throw error;
  }
}
