import {
  type DBInstance,
  DBInstanceNotFoundFault,
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
  paginateDescribeDBInstances,
  type RDSClient,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import type { Environment } from '../../core/index.ts';
import { requireVariable } from '../environment.ts';
import { acceptError } from '../snapshot/snapshot-store.ts';

/** An instance that a drill made, or the stage's own. */
export interface Instance {
  name: string;
  /** As RDS says it: `creating`, `available`, `deleting` and others. */
  status: string;
  /** Once it has one. */
  address: { host: string; port: number } | null;
  /** When its drill began, in milliseconds since the Unix epoch; null where no drill marked it. */
  drillBeganAt: number | null;
}

/** The instances that drills of a stage make, use and delete. */
export interface DrillInstances {
  /** The stage's own: since when it is there, and the newest moment that can be restored of it, in milliseconds. */
  readSource(): Promise<{ createdAt: number; restorableTo: number }>;
  /** Has a moment of the stage's database restored under that name. A repeat changes nothing. */
  restore(name: string, restoreTo: number, beganAt: number): Promise<void>;
  /** The instance of that name; null where there is none. */
  find(name: string): Promise<Instance | null>;
  /** Those whose names and marks say that a drill of this stage made them. */
  list(): Promise<Instance[]>;
  /** Deletes one with its backups, and without a last snapshot. One that is gone is left so. */
  remove(name: string): Promise<void>;
}

/** Whose they are: the role of this function can delete none without it. */
const ofTag = 'qurable:drill-of';
const beganTag = 'qurable:drill-began';

/** What instances of this stage's drills are named like: the beginning. */
export function drillPrefix(stack: string): string {
  return `${stack}-drill-`;
}

/**
 * The instances in RDS. What a variable says comes from the template: the stack, and class, subnets and security group
 * of what is restored.
 */
export function drillInstances(rds: RDSClient, env: Environment): DrillInstances {
  const stack = requireVariable(env, 'DRILL_STACK');
  const read = async (name: string) =>
    (await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: name }))).DBInstances?.[0] ?? null;
  return {
    readSource: async () => {
      const source = await read(stack);
      if (!source?.LatestRestorableTime)
        throw new Error(`${stack} has no moment that can be restored: no backup of it is there`);
      return {
        createdAt: source.InstanceCreateTime?.getTime() ?? Number.NaN,
        restorableTo: source.LatestRestorableTime.getTime(),
      };
    },
    restore: async (name, restoreTo, beganAt) => {
      const command = new RestoreDBInstanceToPointInTimeCommand({
        SourceDBInstanceIdentifier: stack,
        TargetDBInstanceIdentifier: name,
        RestoreTime: new Date(restoreTo),
        DBInstanceClass: requireVariable(env, 'DRILL_INSTANCE_CLASS'),
        DBSubnetGroupName: requireVariable(env, 'DRILL_SUBNET_GROUP'),
        VpcSecurityGroupIds: [requireVariable(env, 'DRILL_SECURITY_GROUP')],
        MultiAZ: false,
        PubliclyAccessible: false,
        DeletionProtection: false,
        AutoMinorVersionUpgrade: false,
        CopyTagsToSnapshot: false,
        Tags: [
          { Key: ofTag, Value: stack },
          { Key: beganTag, Value: new Date(beganAt).toISOString() },
        ],
      });
      await acceptError('DBInstanceAlreadyExistsFault', () => rds.send(command));
    },
    find: async (name) => {
      try {
        const found = await read(name);
        return found && instanceOf(found);
      } catch (error) {
        if (error instanceof DBInstanceNotFoundFault) return null;
        throw error;
      }
    },
    list: async () => {
      const found: DBInstance[] = [];
      for await (const page of paginateDescribeDBInstances({ client: rds }, {}))
        found.push(...(page.DBInstances ?? []));
      return found
        .filter(({ TagList }) => tagOf(TagList, ofTag) === stack)
        .map(instanceOf)
        .filter(({ name }) => name.startsWith(drillPrefix(stack)));
    },
    remove: async (name) => {
      const command = new DeleteDBInstanceCommand({
        DBInstanceIdentifier: name,
        SkipFinalSnapshot: true,
        DeleteAutomatedBackups: true,
      });
      await acceptError('DBInstanceNotFoundFault', () => rds.send(command));
    },
  };
}

function instanceOf({ DBInstanceIdentifier, DBInstanceStatus, Endpoint, TagList }: DBInstance): Instance {
  const { Address: host, Port: port } = Endpoint ?? {};
  const beganAt = Date.parse(tagOf(TagList, beganTag) ?? '');
  return {
    name: DBInstanceIdentifier ?? '',
    status: DBInstanceStatus ?? '',
    address: host === undefined || port === undefined ? null : { host, port },
    drillBeganAt: Number.isNaN(beganAt) ? null : beganAt,
  };
}

function tagOf(tags: DBInstance['TagList'], key: string): string | undefined {
  return tags?.find(({ Key }) => Key === key)?.Value;
}
