import { createRequire } from 'node:module';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { backgroundConnections, coldConnections, sideConnections } from '../../core/db/open-pools.ts';
import { allIfLong } from '../support/long-run.ts';
import {
  asList,
  ofType,
  optionsOfProd,
  type Packaged,
  type Properties,
  packageStage,
  packagingMillis,
  resource,
  trialOfProd,
} from './packaged-template.ts';

const load = createRequire(import.meta.url);
const { ofFunctions, reserved } = load('../../resources/connection-budget.cjs') as {
  ofFunctions: Record<string, number>;
  reserved: Record<string, number>;
};
const { memoryOfClass } = load('../../resources/database-memory.cjs') as { memoryOfClass(name: string): number };
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
  // ECS starts a whole second set of tasks unless it rolls them, whatever MaximumPercent says.
  const percent = deployment.Strategy === undefined ? Number(deployment.MaximumPercent) : 200;
  const atATime = Math.ceil((mostTasks * percent) / 100);
  const functions = Object.entries(template.Resources)
    .filter(([, { Type, Properties }]) => Type === 'AWS::Lambda::Function' && 'VpcConfig' in Properties)
    .map(([name]) => name);
  const parameters = resource(template, 'DatabaseParameters').Parameters as Properties;
  const hasReplica = 'DB_REPLICA_HOST' in Object.fromEntries(variables.map(({ Name, Value }) => [Name, Value]));
  const writers = pool + coldConnections(pool) + backgroundConnections(pool);
  const ofTask = writers + sideConnections.ready + (hasReplica ? 0 : sideConnections.reads) + ofMarks;
  return { mostTasks, atATime, writers, ofTask, functions, maxConnections: Number(parameters.max_connections) };
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

const larger = { databaseClass: 'db.t4g.large' };
const cases: [string, string, Record<string, string>, [number, number]][] = [
  ['dev', 'rolling', {}, [4, 8]],
  ['dev', 'canary', {}, [4, 8]],
  ['dev', 'blue-green', {}, [4, 8]],
  ['prod', 'rolling', trialOfProd, [50, 75]],
  ['prod', 'canary', { ...optionsOfProd, ...larger }, [50, 100]],
  ['prod', 'blue-green', { ...trialOfProd, eventMaxTasks: '37' }, [37, 74]],
];

// A canary has two whole sets of tasks as well as blue/green.
const isEnough = ([stage, deployment]: (typeof cases)[number]) => stage === 'prod' || deployment !== 'canary';

describe.each(allIfLong(cases, isEnough))(
  'the connections of %s, deployed by %s',
  (stage, deployment, parameters, tasks) => {
    let packaged: Packaged;
    beforeAll(async () => {
      packaged = await packageStage(stage, deployment === 'rolling' ? parameters : { deployment, ...parameters });
    }, packagingMillis);

    test('suffice for the tasks of the largest event while all of them are replaced, with functions and people', () => {
      const { mostTasks, atATime, ofTask, functions, maxConnections } = budgetOf(packaged);
      expect([mostTasks, atATime]).toEqual(tasks);
      expect(functions.filter((name) => !(name in ofFunctions))).toEqual([]);
      const needed = atATime * ofTask + sum(functions.map((name) => ofFunctions[name]!)) + sum(Object.values(reserved));
      expect(needed).toBeLessThan(maxConnections);
    });

    test('suffice on the replica as well, where every task has a pool of its own', () => {
      const { atATime, maxConnections } = budgetOf(packaged);
      for (const [, replica] of ofType(packaged.template, 'AWS::RDS::DBInstance')) {
        // A replica that allows fewer than its source stops following it.
        expect(replica.Properties.DBParameterGroupName).toEqual({ Ref: 'DatabaseParameters' });
      }
      expect(atATime * sideConnections.readsOfReplica + sum(Object.values(reserved))).toBeLessThan(maxConnections);
    });

    test('are what the memory of the instance’s class can hold', () => {
      const { atATime, writers, maxConnections } = budgetOf(packaged);
      const { Parameters } = resource(packaged.template, 'DatabaseParameters') as { Parameters: Properties };
      const memory = memoryOfClass(String(resource(packaged.template, 'Database').DBInstanceClass));
      const shared = Number(Parameters.shared_buffers) / 128;
      // Measured: a connection that has run the hot statements, or all other writes, holds 2.4 MB of its own, at most
      // 3.6, and 0.3 of page tables; one for /ready, lists or marks has 1.5 to 2.3.
      const heavy = atATime * writers;
      const held = (each: number) => shared + heavy * each + (maxConnections - heavy) * 2;
      expect(held(2.7)).toBeLessThan(memory * 0.7);
      // All of them at their most at one moment.
      expect(held(3.9)).toBeLessThan(memory * 0.8);
    });

    test('ring an alarm when nine in ten are taken', () => {
      const { maxConnections } = budgetOf(packaged);
      expect(resource(packaged.template, 'DatabaseConnectionsAlarm').Threshold).toBe(Math.floor(maxConnections * 0.9));
    });
  },
);
