import { beforeAll, describe, expect, test } from '@jest/globals';
import { coldConnections, sideConnections } from '../../core/db/open-pools.ts';
import {
  asList,
  ofType,
  type Packaged,
  type Properties,
  packageStage,
  packagingMillis,
  resource,
  trialOfProd,
} from './packaged-template.ts';

/** Those of PostgreSQL for a superuser, those of RDS for its own work, and five for people with a psql. */
const reserved = { superuser: 3, ofRds: 5, people: 5 };
/** `migrate` holds one; an attempt that was given up may still be ending. `rotate` makes one at a time, likewise. */
const ofFunction: Record<string, number> = { MigrateLambdaFunction: 2, RotateLambdaFunction: 2 };
/** The connection of each task for the rounds of marks (core/restore/mark-rounds.ts), beside its pools. */
const ofMarks = 1;

interface Calendar {
  base: { max: number };
  blackFriday: { max: number } | null;
  events: { max: number }[];
}

/** What a stage's template says of connections. */
function budgetOf({ template }: Packaged) {
  const deployment = resource(template, 'Service').DeploymentConfiguration as Properties;
  const calendar = JSON.parse(String(resource(template, 'Capacity').Calendar)) as Calendar;
  const mostTasks = Math.max(
    calendar.base.max,
    calendar.blackFriday?.max ?? 0,
    ...calendar.events.map((event) => event.max),
  );
  const [container] = asList(resource(template, 'TaskDefinition').ContainerDefinitions) as Properties[];
  const variables = asList(container!.Environment) as { Name: string; Value: string }[];
  const pool = Number(variables.find(({ Name }) => Name === 'DB_POOL_MAX')!.Value);
  const whileRolling = Math.ceil((mostTasks * Number(deployment.MaximumPercent)) / 100);
  const functions = Object.entries(template.Resources)
    .filter(([, { Type, Properties }]) => Type === 'AWS::Lambda::Function' && 'VpcConfig' in Properties)
    .map(([name]) => name);
  const parameters = resource(template, 'DatabaseParameters').Parameters as Properties;
  const hasReplica = 'DB_REPLICA_HOST' in Object.fromEntries(variables.map(({ Name, Value }) => [Name, Value]));
  const writers = pool + coldConnections(pool);
  const ofTask =
    writers + sideConnections.background + sideConnections.ready + (hasReplica ? 0 : sideConnections.reads) + ofMarks;
  return { mostTasks, whileRolling, writers, ofTask, functions, maxConnections: Number(parameters.max_connections) };
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

describe.each(['dev', 'prod'])('the connections of %s', (stage) => {
  let packaged: Packaged;
  beforeAll(async () => {
    packaged = await packageStage(stage, stage === 'prod' ? trialOfProd : {});
  }, packagingMillis);

  test('suffice for the tasks of the largest event while all of them are replaced, with functions and people', () => {
    const { mostTasks, whileRolling, ofTask, functions, maxConnections } = budgetOf(packaged);
    expect([mostTasks, whileRolling]).toEqual(stage === 'prod' ? [50, 75] : [4, 8]);
    expect(functions.filter((name) => !(name in ofFunction))).toEqual([]);
    const needed =
      whileRolling * ofTask + sum(functions.map((name) => ofFunction[name]!)) + sum(Object.values(reserved));
    expect(needed).toBeLessThan(maxConnections);
  });

  test('suffice on the replica as well, where every task has a pool of its own', () => {
    const { whileRolling, maxConnections } = budgetOf(packaged);
    for (const [, replica] of ofType(packaged.template, 'AWS::RDS::DBInstance')) {
      // A replica that allows fewer than its source stops following it.
      expect(replica.Properties.DBParameterGroupName).toEqual({ Ref: 'DatabaseParameters' });
    }
    expect(whileRolling * sideConnections.readsOfReplica + sum(Object.values(reserved))).toBeLessThan(maxConnections);
  });

  test('are what the memory of the instance’s class can hold', () => {
    const gigabytes: Record<string, number> = { 'db.t4g.micro': 1, 'db.t4g.medium': 4 };
    const { whileRolling, writers, maxConnections } = budgetOf(packaged);
    const { Parameters } = resource(packaged.template, 'DatabaseParameters') as { Parameters: Properties };
    const memory = gigabytes[String(resource(packaged.template, 'Database').DBInstanceClass)]! * 1024;
    const shared = Number(Parameters.shared_buffers) / 128;
    // Measured: a connection that has run the hot statements, or all other writes, holds 2.4 MB of its own, at most
    // 3.6, and 0.3 of page tables; one for /ready, lists or marks has 1.5 to 2.3.
    const heavy = whileRolling * writers;
    expect(shared + heavy * 3.9 + (maxConnections - heavy) * 2).toBeLessThan(memory * 0.7);
  });

  test('ring an alarm when nine in ten are taken', () => {
    const { maxConnections } = budgetOf(packaged);
    expect(resource(packaged.template, 'DatabaseConnectionsAlarm').Threshold).toBe(Math.floor(maxConnections * 0.9));
  });
});
