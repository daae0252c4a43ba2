import { BadInput } from '../bad-input.ts';
import { add, ceiling, compare, type Exact, exact, larger, multiply, nothing, subtract } from '../exact.ts';
import { gigabytes } from '../load.ts';
import {
  backupBytesOfByte,
  bytesOfEvent,
  cacheSnapshotGb,
  databaseBytesOfRequest,
  databaseCpuSecondsOfRequest,
  databaseLogGb,
  diskBesideEventsGb,
  hoursOfMonth,
} from '../measured.ts';
import { objectOf, referredBy, type TemplateResource, textOf, wholeOf } from '../template.ts';
import { logCharges } from './log-charges.ts';
import type { Charge, PriceRule, RuleContext } from './rule.ts';

/** Virtual processors of database classes by size. A vCPU of Graviton is a core. */
const processorsOfSize: Record<string, number> = {
  micro: 2,
  small: 2,
  medium: 2,
  large: 2,
  xlarge: 4,
  '2xlarge': 8,
  '4xlarge': 16,
  '8xlarge': 32,
  '12xlarge': 48,
  '16xlarge': 64,
};

/** The share of each processor that a burstable class may use for ever. */
const baselines: Record<string, string> = { micro: '0.1', small: '0.2', medium: '0.2', large: '0.3' };

/** What the database can do beside what a load needs of it. */
export interface DatabaseNeed {
  instanceClass: string;
  processors: number;
  /** Processors that the busiest second needs. */
  atPeak: Exact;
  storageGb: Exact;
  storageMaxGb: number;
}

/**
 * What a load needs of the database that is written to, beside what that can do.
 * @throws BadInput for a class whose number of processors is not known here
 */
export function databaseNeedOf(database: TemplateResource, context: RuleContext): DatabaseNeed {
  const instanceClass = textOf(database, 'DBInstanceClass');
  const size = instanceClass.split('.').at(-1)!;
  const processors = processorsOfSize[size];
  if (processors === undefined) throw new BadInput(`${database.name}: how many processors has a ${instanceClass}?`);
  return {
    instanceClass,
    processors,
    atPeak: multiply(context.demand.peakPerSecond, databaseCpuSecondsOfRequest),
    storageGb: storageGbOf(database, context),
    storageMaxGb: wholeOf(database, 'MaxAllocatedStorage'),
  };
}

/** Gigabytes that a month of the load adds. */
export function growthGbOf({ demand }: RuleContext): Exact {
  return gigabytes(demand.eventsOfMonth, bytesOfEvent);
}

/**
 * The disk: what is allocated, or what the months that are kept have grown it to; RDS grows it at a tenth of free
 * space.
 */
function storageGbOf(database: TemplateResource, context: RuleContext): Exact {
  const kept = multiply(growthGbOf(context), exact(context.load.monthsKept));
  const used = compare(kept, exact(1)) < 0 ? nothing : add(kept, diskBesideEventsGb);
  return larger(exact(wholeOf(database, 'AllocatedStorage')), exact(ceiling(multiply(used, exact('1.1')))));
}

const ofDatabase: PriceRule = (database, context) => {
  for (const property of ['Iops', 'StorageThroughput']) {
    if (property in database.properties) {
      throw new BadInput(
        `${database.name}: there is no price rule for ${property}; add one to operations/cost/rules/price-data.ts`,
      );
    }
  }
  const source = referredBy(database.properties.SourceDBInstanceIdentifier);
  return source === null ? ofPrimary(database, context) : ofReplica(database, source, context);
};

function ofPrimary(database: TemplateResource, context: RuleContext): Charge[] {
  const { demand, choices } = context;
  const { instanceClass, processors, storageGb } = databaseNeedOf(database, context);
  const zones = database.properties.MultiAZ === true ? 'multi-az' : 'single';
  const [what, nodes] = zones === 'multi-az' ? ['in two zones', exact(2)] : ['in one zone', exact(1)];
  return [
    ...instanceCharges(`${instanceClass} ${what}`, instanceClass, zones, choices.reserved),
    ...creditCharges(instanceClass, processors, nodes, demand.meanPerSecond),
    { service: 'Database', item: `disk ${what}`, rate: `rds.gp3.${zones}`, quantity: storageGb },
    ...backupCharges(database, storageGb, context),
    ...logCharges('PostgreSQL', databaseLogGb, logGroupOf(database, context), context),
    {
      service: 'Data transfer',
      item: 'between zones, to the database',
      rate: 'transfer.between-zones',
      quantity: multiply(gigabytes(demand.requestsOfMonth, databaseBytesOfRequest), exact('0.5')),
    },
  ];
}

/** A copy of the database: its class is its own, its disk as large as its source's. */
function ofReplica(replica: TemplateResource, source: string, context: RuleContext): Charge[] {
  const database = context.template.find(source);
  if (database === undefined) throw new BadInput(`${replica.name}: its source ${source} is not in the template`);
  const instanceClass = textOf(replica, 'DBInstanceClass');
  return [
    ...instanceCharges(`copy for lists, ${instanceClass}`, instanceClass, 'single', context.choices.reserved),
    { service: 'Database', item: 'disk of the copy', rate: 'rds.gp3.single', quantity: storageGbOf(database, context) },
  ];
}

function instanceCharges(item: string, instanceClass: string, zones: string, reserved: boolean): Charge[] {
  const rate = `rds.postgresql.${instanceClass.replace(/^db\./, '')}.${zones}`;
  const discount = reserved ? { discount: 'discount.reserved.rds' } : {};
  return [{ service: 'Database', item, rate, quantity: hoursOfMonth, ...discount }];
}

/** A burstable class that is busier than its baseline in the mean buys credits. */
function creditCharges(instanceClass: string, processors: number, nodes: Exact, meanPerSecond: Exact): Charge[] {
  const [, family, size] = instanceClass.split('.');
  const share = family?.startsWith('t') ? baselines[size!] : undefined;
  if (share === undefined) return [];
  const free = multiply(exact(processors), exact(share));
  const beyond = subtract(multiply(meanPerSecond, databaseCpuSecondsOfRequest), free);
  if (compare(beyond, nothing) <= 0) return [];
  const quantity = multiply(beyond, hoursOfMonth, nodes);
  return [{ service: 'Database', item: 'CPU credits beyond the baseline', rate: 'rds.cpu-credit', quantity }];
}

/** Automated backups and the function's snapshots; as much as the disk is free. */
function backupCharges(database: TemplateResource, storageGb: Exact, context: RuleContext): Charge[] {
  const days = Math.max(wholeOf(database, 'BackupRetentionPeriod'), snapshotDaysOf(context));
  const kept = multiply(growthGbOf(context), exact(context.load.monthsKept));
  const changed = multiply(growthGbOf(context), backupBytesOfByte, { over: BigInt(days * 24), under: 730n });
  const quantity = larger(subtract(add(kept, changed), storageGb), nothing);
  return [{ service: 'Backups', item: 'of the database, beyond the free size', rate: 'rds.backup', quantity }];
}

/** Days for which the function `snapshot` keeps what it takes; 0 where there is no such function. */
function snapshotDaysOf({ template }: RuleContext): number {
  const days = template
    .ofType('AWS::Lambda::Function')
    .map(({ properties }) => objectOf(objectOf(properties.Environment).Variables).SNAPSHOT_RETENTION_DAYS);
  return Math.max(0, ...days.filter((value) => value !== undefined).map(Number));
}

function logGroupOf(database: TemplateResource, { template }: RuleContext): string | null {
  const name = `/aws/rds/instance/${database.properties.DBInstanceIdentifier}/postgresql`;
  return (
    template.ofType('AWS::Logs::LogGroup').find(({ properties }) => properties.LogGroupName === name)?.name ?? null
  );
}

const ofCache: PriceRule = (cache, context) => {
  const { choices } = context;
  const engine = choices.engine ?? textOf(cache, 'Engine');
  const node = textOf(cache, 'CacheNodeType').replace(/^cache\./, '');
  const nodes = wholeOf(cache, 'NumCacheClusters');
  const discount = choices.reserved ? { discount: 'discount.reserved.cache' } : {};
  const days = wholeOf(cache, 'SnapshotRetentionLimit') + snapshotDaysOf(context);
  return [
    {
      service: 'Cache',
      item: `${nodes} × cache.${node}, ${engine}`,
      rate: `cache.${engine}.${node}`,
      quantity: multiply(exact(nodes), hoursOfMonth),
      ...discount,
    },
    {
      service: 'Backups',
      item: 'snapshots of the cache',
      rate: 'cache.backup',
      quantity: multiply(exact(days), cacheSnapshotGb),
    },
  ];
};

/** What database and cache cost, by the types of their resources. */
export const rulesOfData: Record<string, PriceRule> = {
  'AWS::RDS::DBInstance': ofDatabase,
  'AWS::ElastiCache::ReplicationGroup': ofCache,
};
