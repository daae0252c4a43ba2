import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { estimateMonth } from '../../operations/cost/estimate-month.ts';
import { withRegistry } from '../../operations/cost/package-stage.ts';
import { readPrices } from '../../operations/cost/read-prices.ts';
import { loadOf, scenarios } from '../../operations/cost/strategy.ts';
import { readTemplate } from '../../operations/cost/template.ts';
import { twoSetCases } from './packaged-stages.ts';
import {
  asList,
  ofType,
  type Packaged,
  type Properties,
  packageStage,
  packagingMillis,
  resource,
} from './packaged-template.ts';

describe.each(twoSetCases)('$stage, deployed by $deployment,', ({ stage, deployment, given }) => {
  const listener = stage === 'dev' ? 'HttpListener' : 'HttpsListener';
  let packaged: Packaged;
  beforeAll(async () => {
    packaged = await packageStage(stage, { deployment, ...given });
  }, packagingMillis);

  test('is packaged', () => expect(packaged.ok ? '' : packaged.output).toBe(''));

  test('gets a second set of tasks, asked before clients are, taken back by alarms on errors, slowness and error lines', () => {
    expect(resource(packaged.template, 'Service').DeploymentConfiguration).toEqual({
      ...(deployment === 'canary'
        ? { Strategy: 'CANARY', CanaryConfiguration: { CanaryPercent: 5, CanaryBakeTimeInMinutes: 10 } }
        : { Strategy: 'BLUE_GREEN' }),
      BakeTimeInMinutes: 15,
      MinimumHealthyPercent: 100,
      MaximumPercent: 200,
      LifecycleHooks: [
        {
          HookTargetArn: { 'Fn::GetAtt': ['AskDashnewDashtasksLambdaFunction', 'Arn'] },
          RoleArn: { 'Fn::GetAtt': ['DeploymentHookRole', 'Arn'] },
          LifecycleStages: ['POST_TEST_TRAFFIC_SHIFT'],
        },
      ],
      Alarms: {
        Enable: true,
        Rollback: true,
        AlarmNames: [{ Ref: 'ErrorRateAlarm' }, { Ref: 'LatencyAlarm' }, { Ref: 'ErrorLinesAlarm' }],
      },
    });
    expect(resource(packaged.template, 'Service')).not.toHaveProperty('DesiredCount');
  });

  test('has two equal target groups, and rules of the listener that clients reach lead to one or the other', () => {
    const { template } = packaged;
    expect(resource(template, 'AlternateTargetGroup')).toEqual(resource(template, 'TargetGroup'));
    expect(resource(template, 'Service').LoadBalancers).toEqual([
      {
        ContainerName: 'qurable-api',
        ContainerPort: 3000,
        TargetGroupArn: { Ref: 'TargetGroup' },
        AdvancedConfiguration: {
          AlternateTargetGroupArn: { Ref: 'AlternateTargetGroup' },
          ProductionListenerRule: { Ref: 'ProductionRule' },
          TestListenerRule: { Ref: 'NewTasksRule' },
          RoleArn: { 'Fn::GetAtt': ['TrafficShiftRole', 'Arn'] },
        },
      },
    ]);
    for (const name of ['ProductionRule', 'NewTasksRule']) {
      expect(resource(template, name)).toMatchObject({
        ListenerArn: { Ref: listener },
        Actions: [
          {
            ForwardConfig: {
              TargetGroups: [
                { TargetGroupArn: { Ref: 'TargetGroup' }, Weight: 1 },
                { TargetGroupArn: { Ref: 'AlternateTargetGroup' }, Weight: 0 },
              ],
            },
          },
        ],
      });
    }
    expect(resource(template, 'ProductionRule').Conditions).toEqual([
      { Field: 'path-pattern', PathPatternConfig: { Values: ['/*'] } },
    ]);
    // The lower number is looked at first.
    expect(Number(resource(template, 'NewTasksRule').Priority)).toBeLessThan(
      Number(resource(template, 'ProductionRule').Priority),
    );
  });

  test('lets ECS change these two rules and groups, and call this one function, and nothing else', () => {
    const rights = ['TrafficShiftRole', 'DeploymentHookRole'].flatMap((name) =>
      asList(resource(packaged.template, name).Policies).flatMap((policy) =>
        asList(((policy as Properties).PolicyDocument as Properties).Statement),
      ),
    ) as Properties[];
    expect(rights.map(({ Action, Resource }) => [asList(Action).length, Resource])).toEqual([
      [4, '*'],
      [2, [{ Ref: 'TargetGroup' }, { Ref: 'AlternateTargetGroup' }]],
      [1, [{ Ref: 'ProductionRule' }, { Ref: 'NewTasksRule' }]],
      [1, { 'Fn::GetAtt': ['AskDashnewDashtasksLambdaFunction', 'Arn'] }],
    ]);
    expect(asList(rights[0]!.Action).every((action) => String(action).includes(':Describe'))).toBe(true);
  });

  test('has no role that the pipeline may not hand to its service', () => {
    const pipeline = readFileSync(resolve(import.meta.dirname, '../../resources/pipeline-stage.yml'), 'utf8');
    const services = /'iam:PassedToService': \[([^\]]+)\]/.exec(pipeline)![1]!.split(', ');
    for (const [, { Properties }] of ofType(packaged.template, 'AWS::IAM::Role')) {
      const { Statement } = Properties.AssumeRolePolicyDocument as Properties;
      for (const statement of asList(Statement) as Properties[]) {
        expect(services).toEqual(expect.arrayContaining(asList((statement.Principal as Properties).Service)));
      }
    }
  });

  test('is scaled and watched by the tasks of both groups', () => {
    for (const metrics of [
      (resource(packaged.template, 'ScalingByRequests').TargetTrackingScalingPolicyConfiguration as Properties)
        .CustomizedMetricSpecification,
      resource(packaged.template, 'NoHealthyTargetsAlarm'),
    ]) {
      const text = JSON.stringify(metrics);
      expect(text).toContain('["TargetGroup","TargetGroupFullName"]');
      expect(text).toContain('["AlternateTargetGroup","TargetGroupFullName"]');
    }
  });

  test('costs in a month without a deployment what it costs when rolled, but for alarms of a few cents', async () => {
    const rolled = await packageStage(stage, given);
    const [load] = scenarios.map((scenario) => loadOf(scenario, { requestsPerConnection: 10, monthsKept: 1 }));
    const month = ({ text }: Packaged) =>
      estimateMonth(withRegistry(readTemplate(text, stage)), load!, readPrices('us-east-1'));
    const difference = month(packaged).cents - month(rolled).cents;
    expect(difference).toBeGreaterThanOrEqual(0n);
    expect(difference).toBeLessThan(100n);
  });
});

test(
  'a stage that is rolled has one target group, and no rule',
  async () => {
    const { template } = await packageStage('dev');
    expect(ofType(template, 'AWS::ElasticLoadBalancingV2::TargetGroup').map(([name]) => name)).toEqual(['TargetGroup']);
    expect(ofType(template, 'AWS::ElasticLoadBalancingV2::ListenerRule')).toEqual([]);
  },
  packagingMillis,
);
