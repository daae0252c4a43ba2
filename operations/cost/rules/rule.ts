import type { Exact } from '../exact.ts';
import type { Demand, Load } from '../load.ts';
import type { TaskPlan } from '../tasks-for-load.ts';
import type { CostTemplate, TemplateResource } from '../template.ts';

/** Ways to pay less (§ 9.3 of the strategy); null leaves what the template says. */
export interface Choices {
  /** A year's commitment for database and cache nodes, nothing paid ahead. */
  reserved: boolean;
  /** A year's Compute Savings Plan for the tasks that always run. */
  savingsPlan: boolean;
  /** Tasks beyond those that always run on Fargate Spot, which may be taken back with two minutes' notice. */
  spot: boolean;
  engine: 'redis' | 'valkey' | null;
  architecture: 'X86_64' | 'ARM64' | null;
}

/** What a rule may look at. */
export interface RuleContext {
  template: CostTemplate;
  load: Load;
  demand: Demand;
  tasks: TaskPlan;
  choices: Choices;
}

/** Something that is charged. Those with the same service, item and rate become one line. */
export interface Charge {
  service: Service;
  item: string;
  /** The key of a rate in the price file. */
  rate: string;
  /** In the rate's unit. */
  quantity: Exact;
  /** The key of a rate that says which share is taken off. */
  discount?: string;
}

/** The parts of the bill, in the order in which they are printed. */
export const services = [
  'Fargate',
  'Database',
  'Cache',
  'Load balancer',
  'Firewall',
  'Data transfer',
  'Endpoints and NAT',
  'Public addresses',
  'Logs',
  'Metrics and alarms',
  'Container Insights',
  'Backups',
  'Keys',
  'Secrets',
  'Storage',
  'Registry',
  'Names',
  'Functions and schedules',
] as const;
/** One of these names. */
export type Service = (typeof services)[number];

/**
 * What a resource of one type costs in a month. An empty list means that it costs nothing by itself.
 * @throws BadInput where a property on which the price hangs can't be read
 */
export type PriceRule = (resource: TemplateResource, context: RuleContext) => Charge[];
