import { beforeAll, describe, expect, test } from '@jest/globals';
import { changesOfProd } from './packaged-stages.ts';
import {
  asList,
  ofType,
  optionsOfProd,
  type Packaged,
  type Properties,
  packageStage,
  packagingMillis,
  referencesIn,
  resource,
  trialOfProd,
} from './packaged-template.ts';

let prod: Packaged;
let options: Packaged;

beforeAll(async () => {
  prod = await packageStage('prod', trialOfProd);
  options = await packageStage('prod', optionsOfProd);
}, packagingMillis);

describe('a change of what runs', () => {
  test(
    'restarts no database in the middle of a deployment unless that is asked for',
    async () => {
      const applied = ({ template }: Packaged) =>
        ['Database', 'DatabaseReplica'].map((name) => resource(template, name).ApplyImmediately);
      expect(applied(prod)).toEqual([false, false]);
      expect(applied(await packageStage('prod', changesOfProd))).toEqual([true, true]);
    },
    packagingMillis,
  );

  test(
    'raises the replica’s version before the database’s',
    async () => {
      const { template } = await packageStage('prod', changesOfProd);
      const versions = ['Database', 'DatabaseReplica'].map((name) => resource(template, name).EngineVersion);
      expect(versions).toEqual(['15.17', '15.18']);
    },
    packagingMillis,
  );

  test('from http to https and back leaves each port its own listener, and 443 there before anybody is sent to it', () => {
    const portsOf = ({ template }: Packaged) =>
      Object.fromEntries(
        ofType(template, 'AWS::ElasticLoadBalancingV2::Listener').map(([name, { Properties }]) => [
          name,
          Properties.Port,
        ]),
      );
    expect(portsOf(prod)).toEqual({ HttpListener: 80 });
    expect(portsOf(options)).toEqual({ HttpListener: 80, HttpsListener: 443 });
    expect(options.template.Resources.HttpListener?.DependsOn).toEqual(['HttpsListener']);
  });

  test('keeps browsers away from plain HTTP where there is TLS', () => {
    expect(resource(options.template, 'HttpsListener').ListenerAttributes).toEqual([
      { Key: 'routing.http.response.strict_transport_security.header_value', Value: 'max-age=31536000' },
    ]);
  });

  test('charges for no extended support that nobody asked for', () => {
    expect(resource(prod.template, 'Database').EngineLifecycleSupport).toBe(
      'open-source-rds-extended-support-disabled',
    );
  });
});

describe('on the first day', () => {
  test('schedules, and alarms that ring at silence, begin after what they watch', () => {
    const dependsOn = (name: string) => asList(prod.template.Resources[name]?.DependsOn);
    expect(dependsOn('ScaleToCalendar')).toEqual(['Capacity']);
    expect(dependsOn('DailySnapshot')).toEqual(['Service']);
    const silent = ofType(prod.template, 'AWS::CloudWatch::Alarm').filter(
      ([, { Properties }]) => Properties.TreatMissingData === 'breaching',
    );
    expect(silent.length).toBeGreaterThanOrEqual(5);
    for (const [name] of silent) {
      expect([name, dependsOn(name)]).toEqual([
        name,
        [expect.stringMatching(/^(Capacity|Service|ScaleToCalendar|DrillWatch)$/)],
      ]);
    }
  });

  test('every role has the boundary that it was given', () => {
    const roles = ofType(options.template, 'AWS::IAM::Role');
    expect(roles.length).toBeGreaterThanOrEqual(9);
    for (const [name, { Properties }] of roles) {
      expect([name, Properties.PermissionsBoundary]).toEqual([name, optionsOfProd.permissionsBoundaryArn]);
    }
  });
});

describe('what rings', () => {
  test('tells of a replica that is behind, and not of a night in which nothing is written', () => {
    const { Threshold, EvaluationPeriods, Period } = resource(prod.template, 'ReplicaLagAlarm');
    // A database without transactions reports up to five minutes.
    expect(Number(Threshold)).toBeGreaterThan(300);
    expect(Number(EvaluationPeriods) * Number(Period)).toBe(300);
  });

  test('tells of a disk whose growth has failed, and not of each growth', () => {
    const { AllocatedStorage } = resource(prod.template, 'Database');
    const grows = Number(AllocatedStorage) * 1024 ** 3 * 0.1;
    const { Threshold } = resource(prod.template, 'DatabaseStorageAlarm');
    expect(Number(Threshold)).toBeLessThan(grows);
    expect(Number(Threshold)).toBeGreaterThanOrEqual(grows / 2);
  });

  test('tells of processor credits that are charged', () => {
    expect(resource(prod.template, 'DatabaseCreditsAlarm')).toMatchObject({
      MetricName: 'CPUSurplusCreditsCharged',
      Threshold: 0,
    });
  });

  test('includes what a scheduled function throws at its last try', () => {
    const queue = { 'Fn::GetAtt': ['FailedScheduleQueue', 'Arn'] };
    for (const name of ['Snapshot', 'Scale']) {
      expect(resource(prod.template, `${name}Failures`)).toMatchObject({
        FunctionName: { Ref: `${name}LambdaFunction` },
        DestinationConfig: { OnFailure: { Destination: queue } },
      });
      const role = JSON.stringify(resource(prod.template, `${name}Role`));
      expect(role).toContain('sqs:SendMessage');
    }
  });
});

describe('a way out of the network', () => {
  test('through S3 leads to three places, none of which can be somebody else’s', () => {
    const { Statement } = resource(prod.template, 'StorageEndpoint').PolicyDocument as { Statement: Properties[] };
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: CloudFormation's references
    expect(Statement.map(({ Sid, Action, Resource }) => [Sid, Action, Resource])).toEqual([
      [
        'LayersOfImages',
        's3:GetObject',
        { 'Fn::Sub': expect.stringContaining('prod-${AWS::Region}-starport-layer-bucket/*') },
      ],
      [
        'AnswersToCloudFormation',
        's3:PutObject',
        {
          'Fn::Sub': [
            expect.stringMatching(/:::cloudformation-custom-resource-response-\$\{Region\}\/\*$/),
            { Region: { 'Fn::Join': ['', { 'Fn::Split': ['-', { Ref: 'AWS::Region' }] }] } },
          ],
        },
      ],
      ['FilesForOperators', 's3:GetObject', { 'Fn::Sub': '${BackupBucket.Arn}/operator/*' }],
      [
        'EventsOfTheDatabase',
        ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:ListBucket'],
        [{ 'Fn::GetAtt': ['BackupBucket', 'Arn'] }, { 'Fn::Sub': '${BackupBucket.Arn}/events/*' }],
      ],
    ]);
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: CloudFormation's references
  });

  test('through the endpoints of logs and secrets is for this account alone', () => {
    for (const name of ['LogsEndpoint', 'SecretsEndpoint']) {
      const { Statement } = resource(prod.template, name).PolicyDocument as { Statement: Properties[] };
      expect(Statement.map(({ Condition }) => Condition)).toEqual([
        { StringEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } },
      ]);
    }
  });
});

describe('access logs', () => {
  test(
    'are off, and where they are on they end with their days and every earlier version',
    async () => {
      const { template } = await packageStage('prod', changesOfProd);
      const enabled = ({ Resources }: Packaged['template']) =>
        asList(Resources.LoadBalancer?.Properties.LoadBalancerAttributes).find(
          (attribute) => (attribute as Properties).Key === 'access_logs.s3.enabled',
        );
      expect([enabled(prod.template), enabled(template)]).toMatchObject([{ Value: 'false' }, { Value: 'true' }]);
      const { Rules } = resource(template, 'LogBucket').LifecycleConfiguration as { Rules: Properties[] };
      expect(Rules).toEqual([
        expect.objectContaining({ ExpirationInDays: 7, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }),
        expect.objectContaining({ ExpiredObjectDeleteMarker: true }),
      ]);
      // Glacier takes no object as small as most of them are.
      expect(JSON.stringify(Rules)).not.toContain('Transition');
    },
    packagingMillis,
  );
});

test('a firewall’s log goes to a group without the star that some regions refuse', () => {
  const { LogDestinationConfigs } = resource(prod.template, 'FirewallLogs');
  expect(referencesIn(LogDestinationConfigs!)).toEqual(['FirewallLogGroup']);
  expect(JSON.stringify(LogDestinationConfigs)).not.toContain(':*');
});
