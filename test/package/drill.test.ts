import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  asList,
  objectsIn,
  ofType,
  type Packaged,
  type Properties,
  packageStage,
  packagingMillis,
  referencesIn,
  resource,
  trialOfProd,
  type Value,
} from './packaged-template.ts';

const project = resolve(import.meta.dirname, '../..');
const stages = ['dev', 'prod'] as const;
const packaged = {} as Record<(typeof stages)[number], Packaged>;

beforeAll(async () => {
  packaged.dev = await packageStage('dev');
  packaged.prod = await packageStage('prod', trialOfProd);
}, packagingMillis);

interface State {
  Type: string;
  Resource?: string;
  Next?: string;
  Default?: string;
  Choices?: { Next: string }[];
  Catch?: { ErrorEquals: string[]; Next: string }[];
  Parameters?: Record<string, string>;
}

function statesOf(stage: (typeof stages)[number]): { StartAt: string; States: Record<string, State> } {
  return resource(packaged[stage].template, 'Drill').Definition as never;
}

/** What a role may do, beside what every function may. */
function rightsOf(stage: (typeof stages)[number], role: string): [string[], Value, Value | undefined][] {
  return [...objectsIn(resource(packaged[stage].template, role).Policies!)]
    .flatMap((object) => asList(object.Statement) as Properties[])
    .map(({ Action, Resource: on, Condition }) => [asList(Action) as string[], on!, Condition] as const)
    .filter(([actions]) => !actions.some((action) => /^(logs:Put|ec2:)/.test(action)))
    .map(([actions, on, condition]) => [actions, on, condition]);
}

describe.each(stages)('the restore drill of %s', (stage) => {
  test('goes from each step to one that there is, and to its report whatever fails on the way', () => {
    const { StartAt, States } = statesOf(stage);
    const nextOf = ({ Next, Default, Choices = [], Catch = [] }: State) =>
      [Next, Default, ...[...Choices, ...Catch].map((way) => way.Next)].filter((name) => name !== undefined);
    const reached = new Set([StartAt]);
    for (const name of reached) for (const next of nextOf(States[name]!)) reached.add(next);
    expect([...reached].sort()).toEqual(Object.keys(States).sort());
    const caught = Object.entries(States).filter(([, { Catch }]) => Catch?.[0]?.ErrorEquals[0] === 'States.ALL');
    const ways = Object.fromEntries(caught.map(([name, { Catch }]) => [name, Catch![0]!.Next]));
    expect(ways).toEqual({ Begin: 'Remove', Look: 'Remove', Ask: 'Remove', Remove: 'Report' });
    // Every task but the report itself, whose failure is the execution's.
    const tasks = Object.entries(States).filter(([, { Type }]) => Type === 'Task');
    expect(tasks.map(([name]) => name).filter((name) => !(name in ways))).toEqual(['Report']);
    expect(States.Remove!.Next).toBe('Report');
  });

  test('calls its two functions and may do nothing else', () => {
    const { DefinitionSubstitutions, RoleArn } = resource(packaged[stage].template, 'Drill');
    expect(referencesIn(DefinitionSubstitutions!)).toEqual(['DrillLambdaFunction', 'AskDashrestoredLambdaFunction']);
    expect(RoleArn).toEqual({ 'Fn::GetAtt': ['DrillMachineRole', 'Arn'] });
    expect(rightsOf(stage, 'DrillMachineRole')).toEqual([
      [
        ['lambda:InvokeFunction'],
        [{ 'Fn::GetAtt': ['DrillLambdaFunction', 'Arn'] }, { 'Fn::GetAtt': ['AskDashrestoredLambdaFunction', 'Arn'] }],
        undefined,
      ],
    ]);
    const steps = Object.values(statesOf(stage).States).flatMap(({ Parameters }) => Parameters?.step ?? []);
    expect(steps).toEqual(['begin', 'look', 'remove', 'report']);
  });

  test('can make, mark and delete instances of its own name alone, and of those delete only what it marked', () => {
    const ofRds = rightsOf(stage, 'DrillRole').filter(([actions]) => actions[0]!.startsWith('rds:'));
    expect(ofRds.map(([actions]) => actions.join())).toEqual([
      'rds:DescribeDBInstances',
      'rds:RestoreDBInstanceToPointInTime',
      'rds:AddTagsToResource',
      'rds:DeleteDBInstance',
    ]);
    const [, restore, mark, remove] = ofRds as [unknown, ...typeof ofRds];
    const own = `:db:qurable-${stage}-drill-*`;
    for (const [, on] of [mark!, remove!])
      expect(JSON.stringify(on)).toMatch(new RegExp(`${own.replaceAll('*', '\\*')}"\\}$`));
    expect(remove![2]).toEqual({ StringEquals: { 'aws:ResourceTag/qurable:drill-of': `qurable-${stage}` } });
    const kinds = (restore![1] as { 'Fn::Sub': string }[]).map((on) => on['Fn::Sub'].split('AccountId}:')[1]);
    expect(kinds).toEqual([
      `db:qurable-${stage}`,
      `db:qurable-${stage}-drill-*`,
      expect.stringMatching(/^subgrp:\$\{DatabaseSubnets\}$/),
      'og:default*',
      'pg:default*',
    ]);
    expect(resource(packaged[stage].template, 'Database').DBInstanceIdentifier).not.toContain('-drill-');
  });

  test('keeps its reports in one folder of the bucket of backups, for a year', () => {
    const ofBucket = rightsOf(stage, 'DrillRole').filter(([actions]) => actions[0]!.startsWith('s3:'));
    expect(ofBucket.map(([actions]) => actions.join())).toEqual(['s3:PutObject', 's3:ListBucket']);
    expect(JSON.stringify(ofBucket)).toContain('BackupBucket.Arn}/drills/*');
    const { Rules } = resource(packaged[stage].template, 'BackupBucket').LifecycleConfiguration as {
      Rules: Properties[];
    };
    expect(Rules).toContainEqual(expect.objectContaining({ Prefix: 'drills/', ExpirationInDays: 400 }));
  });

  test('lets the function that asks reach what was restored and this network’s endpoints, and no other database', () => {
    const { SecurityGroupEgress } = resource(packaged[stage].template, 'DrillFunctionSecurityGroup');
    expect(asList(SecurityGroupEgress).map((rule) => [(rule as Properties).FromPort, referencesIn(rule)[0]])).toEqual([
      [5432, 'DrillDatabaseSecurityGroup'],
      [443, 'Vpc'],
    ]);
    const variables = (resource(packaged[stage].template, 'DrillLambdaFunction').Environment as Properties).Variables;
    expect(variables).toMatchObject({ DRILL_SECURITY_GROUP: { Ref: 'DrillDatabaseSecurityGroup' } });
    const asks = rightsOf(stage, 'AskRestoredRole').map(([actions, on]) => [actions.join(), referencesIn(on)[0]]);
    expect(asks).toEqual([
      ['logs:FilterLogEvents', 'ApiLogGroup'],
      ['secretsmanager:GetSecretValue', 'DatabaseSecret'],
      ['kms:Decrypt', 'Key'],
    ]);
  });

  test('has questions in the function’s bundle, and time for them that ends before the function’s', () => {
    expect(existsSync(resolve(project, 'core/restore/invariants.sql'))).toBe(true);
    expect(readFileSync(resolve(project, 'serverless.yml'), 'utf8')).toContain(
      'patterns: [core/restore/invariants.sql]',
    );
    const source = readFileSync(resolve(project, 'handlers/ask-restored.ts'), 'utf8');
    const minutes = Number(/askMillis = (\d+) \* 60_000/.exec(source)![1]);
    // The stack keeps ten seconds to say that the time is over, and the marks are read within it too.
    const { Timeout } = resource(packaged[stage].template, 'AskDashrestoredLambdaFunction');
    expect(Number(Timeout) - minutes * 60).toBeGreaterThanOrEqual(60);
  });
});

describe('a drill by itself', () => {
  test('is made each month in prod, in no week of a Black Friday and after the passwords have changed', () => {
    const { ScheduleExpression, Target } = resource(packaged.prod.template, 'MonthlyDrill');
    expect(ScheduleExpression).toMatch(/^cron\(0 \d+ \? \* 3#2 \*\)$/);
    expect(Target).toMatchObject({ Arn: { Ref: 'Drill' } });
    expect(ofType(packaged.dev.template, 'AWS::Scheduler::Schedule').map(([name]) => name)).not.toContain(
      'MonthlyDrill',
    );
    expect(resource(packaged.dev.template, 'DrillWatch').ScheduleExpression).toBe('rate(12 hours)');
  });

  test('rings where it says no, and where none has said yes for longer than its schedule or nobody counts the days', () => {
    expect(resource(packaged.prod.template, 'DrillFailedAlarm')).toMatchObject({
      Namespace: 'AWS/States',
      MetricName: 'ExecutionsFailed',
      Dimensions: [{ Name: 'StateMachineArn', Value: { Ref: 'Drill' } }],
      Threshold: 0,
    });
    const silence = resource(packaged.prod.template, 'DrillSilenceAlarm');
    expect(silence).toMatchObject({ MetricName: 'DaysSinceGoodDrill', TreatMissingData: 'breaching' });
    // Between two second Tuesdays are 35 days at most.
    expect(Number(silence.Threshold)).toBeGreaterThan(35);
    expect(Number(silence.Threshold)).toBeLessThanOrEqual(42);
    // CloudWatch takes a day in all, in which the watch comes twice.
    expect(Number(silence.Period) * Number(silence.EvaluationPeriods)).toBe(86_400);
    expect(packaged.dev.template.Resources).not.toHaveProperty('DrillSilenceAlarm');
  });
});
