import { BadInput } from './bad-input.ts';
import { add, centsOf, compare, type Exact, exact, multiply, nothing, subtract } from './exact.ts';
import { priceRuleOf } from './find-price-rule.ts';
import { type Demand, demandOf, type Load } from './load.ts';
import type { Prices, Rate } from './read-prices.ts';
import { type DatabaseNeed, databaseNeedOf, growthGbOf } from './rules/price-data.ts';
import { type Charge, type Choices, type RuleContext, type Service, services } from './rules/rule.ts';
import { type TaskPlan, tasksForLoad } from './tasks-for-load.ts';
import type { CostTemplate } from './template.ts';

/** One line of the month. */
export interface CostLine {
  service: Service;
  item: string;
  rate: Rate;
  quantity: Exact;
  /** The rate by which a share is taken off; null where none is. */
  discount: Rate | null;
  /** The line's amount, rounded once. */
  cents: bigint;
}

/** What a template costs in a month under a load. */
export interface Month {
  load: Load;
  demand: Demand;
  tasks: TaskPlan;
  database: DatabaseNeed;
  /** Gigabytes that each further month of events adds to the database. */
  growthGb: Exact;
  lines: CostLine[];
  /** The sum of the lines' cents, so that what is printed adds up. */
  cents: bigint;
  /** Sentences about what the template could not carry. */
  warnings: string[];
}

/** What the template says, with nothing committed to. */
export const asPackaged: Choices = {
  reserved: false,
  savingsPlan: false,
  spot: false,
  engine: null,
  architecture: null,
};

/**
 * Adds up the month of every resource of a template.
 * @throws BadInput where a resource's type has no price rule, or its rate is not in the price file
 */
export function estimateMonth(
  template: CostTemplate,
  load: Load,
  prices: Prices,
  choices: Choices = asPackaged,
): Month {
  requireRules(template);
  const [service] = template.ofType('AWS::ECS::Service');
  const database = template
    .ofType('AWS::RDS::DBInstance')
    .find(({ properties }) => !('SourceDBInstanceIdentifier' in properties));
  if (service === undefined || database === undefined) {
    throw new BadInput('the template has no service or no database: is it one of this project?');
  }
  const demand = demandOf(load);
  const tasks = tasksForLoad(template, service, load, demand);
  const context: RuleContext = { template, load, demand, tasks, choices };
  const charges = template.resources.flatMap((resource) => priceRuleOf(resource.type)!(resource, context));
  const lines = linesOf(charges, prices);
  const month = {
    load,
    demand,
    tasks,
    database: databaseNeedOf(database, context),
    growthGb: growthGbOf(context),
    lines,
    cents: lines.reduce((sum, { cents }) => sum + cents, 0n),
  };
  return { ...month, warnings: warningsOf(month) };
}

/** The cents of one part of the bill. */
export function centsOfService({ lines }: Pick<Month, 'lines'>, ...wanted: Service[]): bigint {
  return lines.filter(({ service }) => wanted.includes(service)).reduce((sum, { cents }) => sum + cents, 0n);
}

function requireRules(template: CostTemplate): void {
  const without = template.resources.filter(({ type }) => priceRuleOf(type) === undefined);
  if (without.length === 0) return;
  const named = without.map(({ name, type }) => `${type} (${name})`);
  throw new BadInput(
    `no price rule for ${named.join(', ')}: add one to operations/cost/rules, or the type to free-types.ts there if it costs nothing`,
  );
}

/** Charges of the same kind as one line each, in the order of the bill. */
function linesOf(charges: Charge[], prices: Prices): CostLine[] {
  const merged = new Map<string, Charge>();
  for (const charge of charges) {
    const key = [charge.service, charge.item, charge.rate, charge.discount ?? ''].join('\n');
    const before = merged.get(key);
    merged.set(key, before === undefined ? charge : { ...charge, quantity: add(before.quantity, charge.quantity) });
  }
  return [...merged.values()]
    .filter(({ quantity }) => compare(quantity, nothing) > 0)
    .sort((a, b) => services.indexOf(a.service) - services.indexOf(b.service))
    .map((charge) => lineOf(charge, prices));
}

function lineOf({ service, item, rate: key, quantity, discount }: Charge, prices: Prices): CostLine {
  const { rate, usd } = prices.rate(key);
  const off = discount === undefined ? null : prices.rate(discount);
  const left = off === null ? exact(1) : subtract(exact(1), off.usd);
  return { service, item, rate, quantity, discount: off?.rate ?? null, cents: centsOf(multiply(quantity, usd, left)) };
}

/** The busiest second may use so much of the database's processors, as of the tasks'. */
const databaseCpuShare = exact('0.7');

function warningsOf({ tasks, database }: Pick<Month, 'tasks' | 'database'>): string[] {
  const warnings: string[] = [];
  if (tasks.atPeak > BigInt(tasks.most)) {
    warnings.push(
      `The peak needs ${tasks.atPeak} tasks and maxTasks allows ${tasks.most}: raise it in resources/stages.yml. The month is that of ${tasks.atPeak}.`,
    );
  }
  if (compare(database.atPeak, multiply(exact(database.processors), databaseCpuShare)) > 0) {
    warnings.push(
      `The peak needs more than 70 % of the ${database.processors} processors of ${database.instanceClass}: raise databaseClass. The month is that of ${database.instanceClass}.`,
    );
  }
  if (compare(database.storageGb, exact(database.storageMaxGb)) > 0) {
    warnings.push(
      `The events that are kept need more disk than databaseStorageMaxGb, ${database.storageMaxGb}: export and drop months, or raise it.`,
    );
  }
  return warnings;
}
