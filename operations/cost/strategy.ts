import { BadInput } from './bad-input.ts';
import { centsOfService, type Month } from './estimate-month.ts';
import { decimalText, dollars } from './exact.ts';
import type { Load } from './load.ts';
import { type Service, services } from './rules/rule.ts';

/** One of the three scenarios of the deployment strategy (§ 9.2). */
export interface Scenario {
  name: string;
  requestsPerDay: number;
  hasBlackFriday: boolean;
  /** The total that the strategy names. */
  cents: bigint;
  /** Its own lines. They do not always come to its total. */
  lines: Record<StrategyLine, bigint>;
}

const strategyLines = [
  'ECS Fargate',
  'RDS PostgreSQL',
  'ElastiCache Redis',
  'Application Load Balancer',
  'Data Transfer',
  'CloudWatch Logs',
  'Secrets Manager',
  'ECR',
  'S3',
  'Route 53',
] as const;
type StrategyLine = (typeof strategyLines)[number];

/** The table of § 9.1, which is also the first scenario. */
const base: Record<StrategyLine, bigint> = {
  'ECS Fargate': 3504n,
  'RDS PostgreSQL': 12387n,
  'ElastiCache Redis': 27520n,
  'Application Load Balancer': 2227n,
  'Data Transfer': 900n,
  'CloudWatch Logs': 503n,
  'Secrets Manager': 120n,
  ECR: 50n,
  S3: 115n,
  'Route 53': 90n,
};

/** The stage that the strategy's figures are of. */
export const stageOfStrategy = 'prod';

/** The loads of the strategy, with the costs that it names for each. */
export const scenarios: Scenario[] = [
  { name: 'low', requestsPerDay: 10_000, hasBlackFriday: false, cents: 47_400n, lines: base },
  {
    name: 'medium',
    requestsPerDay: 1_000_000,
    hasBlackFriday: false,
    cents: 74_000n,
    lines: { ...base, 'ECS Fargate': 8760n, 'RDS PostgreSQL': 24_500n },
  },
  {
    name: 'Black Friday',
    requestsPerDay: 10_000_000,
    hasBlackFriday: true,
    cents: 220_000n,
    lines: {
      ...base,
      'ECS Fargate': 35_040n,
      'RDS PostgreSQL': 65_000n,
      'ElastiCache Redis': 99_000n,
      'Data Transfer': 9000n,
    },
  },
];

/** A part of the bill beside what the strategy has for it. */
export interface Difference {
  part: string;
  strategyCents: bigint;
  cents: bigint;
  /** What was found minus what the strategy says. */
  differenceCents: bigint;
  because: string;
}

type Reason = (month: Month, scenario: Scenario) => string;

interface Part {
  name: string;
  services: Service[];
  strategyLine: StrategyLine | null;
  because: Reason;
}

/**
 * Every difference between a month and the strategy's, part by part. The differences add up to that of the totals.
 * @throws BadInput where a part of the bill belongs to no part here
 */
export function differencesFrom(scenario: Scenario, month: Month): Difference[] {
  const covered = parts.flatMap((part) => part.services);
  const missing = services.filter((service) => !covered.includes(service));
  if (missing.length > 0) throw new BadInput(`strategy.ts explains nothing of ${missing.join(', ')}`);
  const rows = parts.map(({ name, services: ofPart, strategyLine, because }) => {
    const strategyCents = strategyLine === null ? 0n : scenario.lines[strategyLine];
    const cents = centsOfService(month, ...ofPart);
    return {
      part: name,
      strategyCents,
      cents,
      differenceCents: cents - strategyCents,
      because: because(month, scenario),
    };
  });
  const ofLines = Object.values(scenario.lines).reduce((sum, cents) => sum + cents, 0n);
  const unexplained = scenario.cents - ofLines;
  rows.push({
    part: 'in none of its lines',
    strategyCents: unexplained,
    cents: 0n,
    differenceCents: -unexplained,
    because: `the strategy's own lines come to ${dollars(ofLines)}, and its total is ${dollars(scenario.cents)}`,
  });
  return rows.filter(({ strategyCents, cents }) => strategyCents !== 0n || cents !== 0n);
}

/** The load of a scenario. */
export function loadOf(
  { requestsPerDay, hasBlackFriday }: Scenario,
  shared: Omit<Load, 'requestsPerDay' | 'hasBlackFriday'>,
): Load {
  return { ...shared, requestsPerDay, hasBlackFriday };
}

const itemsOf = (month: Month, service: Service) => [
  ...new Set(month.lines.filter((line) => line.service === service).map(({ item }) => item)),
];
const quantityOf = (month: Month, item: string) => {
  const line = month.lines.find((candidate) => candidate.item.startsWith(item));
  return line === undefined ? '0' : decimalText(line.quantity, 0);
};

const parts: Part[] = [
  {
    name: 'Fargate',
    services: ['Fargate'],
    strategyLine: 'ECS Fargate',
    because: ({ tasks }, { lines }) =>
      `${tasks.atMean} tasks, and ${tasks.atPeak} for the day's busiest hours, follow from the processor time a request that was measured; the strategy has ${lines['ECS Fargate'] / 1752n} at its rate of $17.52, which is that of neither processor`,
  },
  {
    name: 'Database',
    services: ['Database'],
    strategyLine: 'RDS PostgreSQL',
    because: (month) => {
      const { database } = month;
      const copy = itemsOf(month, 'Database').some((item) => item.startsWith('copy'))
        ? 'with a copy for lists, which the strategy prices in its third scenario alone'
        : 'without a copy';
      return `${database.instanceClass}, ${copy}: the busiest second takes ${decimalText(database.atPeak, 3)} of ${database.processors} processors, so no larger class; ${decimalText(database.storageGb, 0)} GB of disk with the month's events`;
    },
  },
  {
    name: 'Cache',
    services: ['Cache'],
    strategyLine: 'ElastiCache Redis',
    because: (month) =>
      `${itemsOf(month, 'Cache').join(', ')}: it holds counters of a few hundred bytes, and the locks are in PostgreSQL; Valkey is a fifth cheaper than Redis`,
  },
  {
    name: 'Load balancer',
    services: ['Load balancer'],
    strategyLine: 'Application Load Balancer',
    because: (month) =>
      `${quantityOf(month, 'units of the load')} unit hours instead of the 730 that the strategy has for every load`,
  },
  {
    name: 'Data transfer',
    services: ['Data transfer'],
    strategyLine: 'Data Transfer',
    because: (month) =>
      `answers and handshakes, ${quantityOf(month, 'out, beyond')} GB beyond the 100 that are free, and what goes to the database's zone`,
  },
  {
    name: 'Logs',
    services: ['Logs'],
    strategyLine: 'CloudWatch Logs',
    because: (month) =>
      `${quantityOf(month, 'a line a request')} GB of a line a request, and flows, database, firewall, functions`,
  },
  {
    name: 'Secrets',
    services: ['Secrets'],
    strategyLine: 'Secrets Manager',
    because: (month) =>
      `${quantityOf(month, 'secrets')} secrets instead of three: nothing is shared or kept in a variable`,
  },
  { name: 'Registry', services: ['Registry'], strategyLine: 'ECR', because: () => 'the same 5 GB' },
  { name: 'Storage', services: ['Storage'], strategyLine: 'S3', because: () => 'the same 50 GB' },
  {
    name: 'Names',
    services: ['Names'],
    strategyLine: 'Route 53',
    because: () => 'queries for a name that is an alias of a load balancer are free',
  },
  {
    name: 'Firewall',
    services: ['Firewall'],
    strategyLine: null,
    because: (month) =>
      `§ 6.2 asks for it, § 9 forgot it: a list, rules, and ${quantityOf(month, 'requests')} million requests`,
  },
  {
    name: 'Endpoints and NAT',
    services: ['Endpoints and NAT'],
    strategyLine: null,
    because: () => 'private subnets need a way to AWS’s services, which the strategy has none of',
  },
  {
    name: 'Public addresses',
    services: ['Public addresses'],
    strategyLine: null,
    because: () => 'one a zone of the load balancer, charged since 2024',
  },
  {
    name: 'Metrics and alarms',
    services: ['Metrics and alarms'],
    strategyLine: null,
    because: () => '§ 7.2 asks for alarms, § 9 forgot them',
  },
  {
    name: 'Container Insights',
    services: ['Container Insights'],
    strategyLine: null,
    because: () => 'turned on in this template',
  },
  {
    name: 'Backups',
    services: ['Backups'],
    strategyLine: null,
    because: () => '§ 8.1 asks for snapshots, § 9 forgot them: what is beyond the free size',
  },
  {
    name: 'Keys',
    services: ['Keys'],
    strategyLine: null,
    because: () => 'a key of the account’s own, and its rotations',
  },
  {
    name: 'Functions and schedules',
    services: ['Functions and schedules'],
    strategyLine: null,
    because: () => 'migrations, rotation, snapshots, capacity',
  },
];
