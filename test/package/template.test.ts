import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { limits } from '../../core/index.ts';
import { readCalendar } from '../../handlers/scale/read-calendar.ts';
import { postgresSettings } from '../bench/database/postgres-settings.ts';
import { packaged, packageStages, stages, templateOf, variablesOf } from './packaged-stages.ts';
import { asList, objectsIn, ofType, type Properties, referencesIn, resource, type Value } from './packaged-template.ts';

const each = describe.each(stages);

packageStages();

each('the service of %s', (stage) => {
  test('is rolled between 100 and 150 or 200 percent, and back where a version does not start or answers with errors', () => {
    const { DeploymentConfiguration } = resource(templateOf(stage), 'Service');
    expect(DeploymentConfiguration).toEqual({
      MinimumHealthyPercent: 100,
      MaximumPercent: stage === 'prod' ? 150 : 200,
      DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      Alarms: { Enable: true, Rollback: true, AlarmNames: [{ Ref: 'ErrorRateAlarm' }] },
    });
  });

  test('starts no task before the schema is there and the load balancer listens', () => {
    expect(templateOf(stage).Resources.Service?.DependsOn).toEqual(
      expect.arrayContaining(['Migration', 'HttpListener']),
    );
    expect(templateOf(stage).Resources.Migration?.DependsOn).toContain('DatabaseLogins');
    expect(referencesIn(resource(templateOf(stage), 'DatabaseLogins'))).toContain('Database');
  });

  test('runs in the private subnets without a public address', () => {
    const { NetworkConfiguration } = resource(templateOf(stage), 'Service');
    expect(NetworkConfiguration).toEqual({
      AwsvpcConfiguration: {
        AssignPublicIp: 'DISABLED',
        Subnets: [{ Ref: 'PrivateSubnetA' }, { Ref: 'PrivateSubnetB' }],
        SecurityGroups: [{ Ref: 'TaskSecurityGroup' }],
      },
    });
  });

  test('keeps an event’s capacity through deployments and rollbacks: no template says how many tasks there are', () => {
    expect(resource(templateOf(stage), 'Service')).not.toHaveProperty('DesiredCount');
    expect(ofType(templateOf(stage), 'AWS::ApplicationAutoScaling::ScalableTarget')).toEqual([]);
    expect(packaged[stage].text).not.toContain('ScheduledAction');
    expect(resource(templateOf(stage), 'Capacity').ServiceToken).toEqual({
      'Fn::GetAtt': ['ScaleLambdaFunction', 'Arn'],
    });
  });

  test('gives a task time to drain before it is killed', () => {
    const [container] = asList(resource(templateOf(stage), 'TaskDefinition').ContainerDefinitions) as Properties[];
    const drainPause = /drainPauseMillis = ([\d_]+)/
      .exec(readSource('containers/api/main.ts'))![1]!
      .replaceAll('_', '');
    const stopTimeout = Number(container!.StopTimeout);
    expect(stopTimeout * 1000).toBeGreaterThanOrEqual(Number(drainPause) + limits.drainMaxMillis + 5_000);
    // Fargate's own bound.
    expect(stopTimeout).toBeLessThanOrEqual(120);
  });

  test('lets a task write nothing, gain nothing and run as nobody else', () => {
    const [container] = asList(resource(templateOf(stage), 'TaskDefinition').ContainerDefinitions) as Properties[];
    expect(container).toMatchObject({
      ReadonlyRootFilesystem: true,
      User: '1000:1000',
      LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
    });
    expect(JSON.stringify(container!.HealthCheck)).not.toContain('curl');
  });

  test('scales on CPU, memory and requests, over cooldowns that let it settle', () => {
    const targets = ofType(templateOf(stage), 'AWS::ApplicationAutoScaling::ScalingPolicy').map(
      ([, { Properties }]) => {
        const policy = Properties.TargetTrackingScalingPolicyConfiguration as Properties;
        const metric = (policy.PredefinedMetricSpecification as Properties).PredefinedMetricType;
        return [metric, policy.TargetValue, policy.ScaleOutCooldown, policy.ScaleInCooldown];
      },
    );
    expect(targets).toEqual([
      ['ECSServiceAverageCPUUtilization', 70, 60, 300],
      ['ECSServiceAverageMemoryUtilization', 75, 60, 300],
      ['ALBRequestCountPerTarget', 30000, 60, 180],
    ]);
  });

  test('is given a calendar that the function accepts', () => {
    const { base, blackFriday } = readCalendar(String(resource(templateOf(stage), 'Capacity').Calendar));
    expect([base, blackFriday]).toMatchObject(
      stage === 'prod'
        ? [
            { min: 2, max: 10 },
            { min: 10, max: 50 },
          ]
        : [
            { min: 1, max: 2 },
            { min: 1, max: 4 },
          ],
    );
  });
});

each('the network of %s', (stage) => {
  test('lets the load balancer reach tasks, tasks reach database and cache, and nobody else', () => {
    const rules = ofType(templateOf(stage), 'AWS::EC2::SecurityGroupIngress').map(([, { Properties }]) => [
      referencesIn(Properties.GroupId!)[0],
      Properties.FromPort,
      referencesIn(Properties.SourceSecurityGroupId!)[0],
    ]);
    expect(rules).toEqual([
      ['TaskSecurityGroup', 3000, 'LoadBalancerSecurityGroup'],
      ['DatabaseSecurityGroup', 5432, 'TaskSecurityGroup'],
      ['DatabaseSecurityGroup', 5432, 'FunctionSecurityGroup'],
      ['CacheSecurityGroup', 6379, 'TaskSecurityGroup'],
      ['DatabaseSecurityGroup', 5432, 'OperatorSecurityGroup'],
      // What a drill restores is reached by the function that asks it, and by nobody else.
      ['DrillDatabaseSecurityGroup', 5432, 'DrillFunctionSecurityGroup'],
    ]);
    const groups = ofType(templateOf(stage), 'AWS::EC2::SecurityGroup');
    const open = groups.filter(([, { Properties }]) =>
      [...objectsIn(Properties.SecurityGroupIngress ?? [])].some((rule) => 'CidrIp' in rule),
    );
    expect(open.map(([name]) => name)).toEqual(['LoadBalancerSecurityGroup']);
    // A group without a rule for what goes out lets everything out.
    for (const [, { Properties }] of groups) expect(Properties).toHaveProperty('SecurityGroupEgress');
  });

  test('has no way out of the private subnets, and endpoints for what they need', () => {
    expect(ofType(templateOf(stage), 'AWS::EC2::NatGateway')).toEqual([]);
    const routesOut = ofType(templateOf(stage), 'AWS::EC2::Route').map(([, { Properties }]) => Properties.RouteTableId);
    expect(routesOut).toEqual([{ Ref: 'PublicRoutes' }]);
    const services = ofType(templateOf(stage), 'AWS::EC2::VPCEndpoint').map(([, { Properties }]) =>
      JSON.stringify(Properties.ServiceName).replace(/^.*Region\}\.|"\}$/g, ''),
    );
    expect(services.sort()).toEqual(['ecr.api', 'ecr.dkr', 'lambda', 'logs', 's3', 'secretsmanager']);
  });

  test('keeps database and cache away from the public', () => {
    for (const [, { Properties }] of ofType(templateOf(stage), 'AWS::RDS::DBInstance')) {
      expect(Properties).toMatchObject({
        PubliclyAccessible: false,
        VPCSecurityGroups: [{ Ref: 'DatabaseSecurityGroup' }],
      });
    }
    for (const name of ['DatabaseSubnets', 'CacheSubnets']) {
      expect(resource(templateOf(stage), name).SubnetIds).toEqual([
        { Ref: 'PrivateSubnetA' },
        { Ref: 'PrivateSubnetB' },
      ]);
    }
    for (const [name, { Properties }] of ofType(templateOf(stage), 'AWS::Lambda::Function')) {
      if ('VpcConfig' in Properties) {
        const group = name.startsWith('AskDashrestored') ? 'DrillFunctionSecurityGroup' : 'FunctionSecurityGroup';
        expect(referencesIn(Properties.VpcConfig!)).toEqual([group, 'PrivateSubnetA', 'PrivateSubnetB']);
      }
    }
  });

  test('refuses what two servers could read differently, and logs who came, but no address with a code in it', () => {
    const attributes = resource(templateOf(stage), 'LoadBalancer').LoadBalancerAttributes as Properties[];
    const values = Object.fromEntries(attributes.map(({ Key, Value: value }) => [Key, String(value)]));
    expect(values).toMatchObject({
      'routing.http.drop_invalid_header_fields.enabled': 'true',
      'routing.http.desync_mitigation_mode': 'strictest',
      // Whole addresses hold codes and user ids; the API logs each request without them.
      'access_logs.s3.enabled': 'false',
      'deletion_protection.enabled': String(stage === 'prod'),
    });
    // An idle connection is closed by the load balancer first (containers/api/app.ts, keepAliveMillis).
    const keepAlive = /keepAliveMillis = ([\d_]+)/.exec(readSource('containers/api/app.ts'))![1]!.replaceAll('_', '');
    expect(Number(values['idle_timeout.timeout_seconds']) * 1000).toBeLessThan(Number(keepAlive));
    expect(ofType(templateOf(stage), 'AWS::EC2::FlowLog')).toHaveLength(1);
  });

  test('sends a deregistered target nothing for 30 seconds before it is stopped, and asks for its life alone', () => {
    const target = resource(templateOf(stage), 'TargetGroup');
    expect(target).toMatchObject({ HealthCheckPath: '/health', TargetType: 'ip', Port: 3000 });
    expect(target.TargetGroupAttributes).toContainEqual({ Key: 'deregistration_delay.timeout_seconds', Value: '30' });
  });

  test('has a firewall that paces addresses but a merchant’s, and lets uploads through', () => {
    expect(resource(templateOf(stage), 'FirewallOfLoadBalancer')).toEqual({
      ResourceArn: { Ref: 'LoadBalancer' },
      WebACLArn: { 'Fn::GetAtt': ['Firewall', 'Arn'] },
    });
    const [pace, common] = resource(templateOf(stage), 'Firewall').Rules as Properties[];
    expect((pace!.Statement as Properties).RateBasedStatement).toMatchObject({
      Limit: 2000,
      EvaluationWindowSec: 300,
      ScopeDownStatement: { NotStatement: { Statement: { IPSetReferenceStatement: {} } } },
    });
    const { RuleActionOverrides } = (common!.Statement as Properties).ManagedRuleGroupStatement as Properties;
    expect(RuleActionOverrides).toContainEqual({ Name: 'SizeRestrictions_BODY', ActionToUse: { Count: {} } });
  });
});

describe('TLS', () => {
  test('is 1.2 or 1.3 with forward secrecy where there is a domain, and port 80 only leads there', () => {
    expect(resource(templateOf('options'), 'HttpsListener')).toMatchObject({
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-2021-06',
      Certificates: [{ CertificateArn: { Ref: 'Certificate' } }],
    });
    expect(resource(templateOf('options'), 'HttpListener').DefaultActions).toEqual([
      { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } },
    ]);
    expect(ofType(templateOf('options'), 'AWS::Route53::RecordSet')).toHaveLength(1);
  });

  test('is left out where there is neither a domain nor a certificate, and the operator is told', () => {
    for (const stage of stages) {
      expect(resource(templateOf(stage), 'HttpListener')).toMatchObject({ Port: 80, Protocol: 'HTTP' });
      expect(packaged[stage].output).toContain('plain HTTP, for trials only');
    }
    expect(packaged.options.output).not.toContain('plain HTTP');
  });

  test('is what database and cache demand, and the database is known by its certificate', () => {
    for (const stage of stages) {
      const { Parameters } = resource(templateOf(stage), 'DatabaseParameters') as { Parameters: Properties };
      expect(Number(Parameters['rds.force_ssl'])).toBe(1);
      expect(resource(templateOf(stage), 'Cache')).toMatchObject({
        TransitEncryptionEnabled: true,
        TransitEncryptionMode: 'required',
      });
      expect(variablesOf(stage)).toMatchObject({
        DB_SSLMODE: 'verify-full',
        NODE_EXTRA_CA_CERTS: '/app/rds-ca.pem',
        REDIS_TLS: 'true',
      });
    }
  });
});

each('what %s keeps', (stage) => {
  test('is encrypted, with the stage’s own key where the service can', () => {
    const key = { 'Fn::GetAtt': ['Key', 'Arn'] };
    const template = templateOf(stage);
    expect(resource(template, 'Database')).toMatchObject({ StorageEncrypted: true, KmsKeyId: key });
    expect(resource(template, 'Cache')).toMatchObject({ AtRestEncryptionEnabled: true, KmsKeyId: key });
    expect(resource(template, 'Key').EnableKeyRotation).toBe(true);
    for (const [, { Properties }] of ofType(template, 'AWS::SecretsManager::Secret'))
      expect(Properties.KmsKeyId).toEqual({ Ref: 'Key' });
    for (const [, { Properties }] of ofType(template, 'AWS::Logs::LogGroup')) expect(Properties.KmsKeyId).toEqual(key);
    for (const [, { Properties }] of ofType(template, 'AWS::S3::Bucket'))
      expect(Properties).toHaveProperty('BucketEncryption');
    for (const [, { Properties }] of ofType(template, 'AWS::SQS::Queue'))
      expect(Properties.SqsManagedSseEnabled).toBe(true);
    expect(resource(template, 'AlertTopic').KmsMasterKeyId).toEqual({ Ref: 'Key' });
  });

  test('is closed to the public, in every bucket; backups go to Glacier after 30 days, access logs expire', () => {
    const buckets = ofType(templateOf(stage), 'AWS::S3::Bucket');
    expect(buckets.map(([name]) => name).sort()).toEqual(['BackupBucket', 'LogBucket', 'ServerlessDeploymentBucket']);
    for (const [name, { Properties }] of buckets) {
      expect(Object.values(Properties.PublicAccessBlockConfiguration as Properties)).toEqual([true, true, true, true]);
      if (name === 'ServerlessDeploymentBucket') continue;
      const { Rules } = Properties.LifecycleConfiguration as { Rules: Properties[] };
      if (name === 'BackupBucket') {
        expect(Rules[0]!.Transitions).toEqual([{ StorageClass: 'GLACIER_IR', TransitionInDays: 30 }]);
      } else {
        expect(Rules).toMatchObject([
          { ExpirationInDays: 1, NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
          { ExpiredObjectDeleteMarker: true },
        ]);
      }
    }
    const guarded = ofType(templateOf(stage), 'AWS::S3::BucketPolicy').filter(([, { Properties }]) =>
      JSON.stringify(Properties).includes('aws:SecureTransport'),
    );
    expect(guarded).toHaveLength(3);
  });

  test('outlives the stack where it can’t be made again, but not the first deployment that fails', () => {
    const policies = Object.entries(templateOf(stage).Resources)
      .filter(([, found]) => found.DeletionPolicy !== undefined)
      .map(([name, found]) => [name, found.DeletionPolicy, found.UpdateReplacePolicy]);
    const kept = policies.filter(([, policy]) => policy !== 'Delete');
    expect(kept.sort()).toEqual([
      ['BackupBucket', 'RetainExceptOnCreate', 'Retain'],
      ['CodeSecret', 'RetainExceptOnCreate', 'Retain'],
      ['Database', 'Snapshot', 'Snapshot'],
      ['Key', 'RetainExceptOnCreate', 'Retain'],
      ['LogBucket', 'RetainExceptOnCreate', 'Retain'],
    ]);
    // What keeps data says what becomes of it, so that nothing goes unasked.
    const stateful =
      /^AWS::(RDS::DBInstance|ElastiCache::ReplicationGroup|S3::Bucket|SecretsManager::Secret|KMS::Key)$/;
    const said = new Set(policies.map(([name]) => name));
    const silent = Object.entries(templateOf(stage).Resources)
      .filter(([name, { Type }]) => stateful.test(Type) && !said.has(name) && name !== 'ServerlessDeploymentBucket')
      .map(([name]) => name);
    expect(silent).toEqual([]);
  });

  test('is replaced or removed by no update', () => {
    const denied = (packaged[stage].stackPolicy as Properties[]).find(({ Effect }) => Effect === 'Deny')!;
    expect(denied.Action).toEqual(['Update:Replace', 'Update:Delete']);
    for (const name of denied.Resource as string[]) {
      expect(templateOf(stage).Resources).toHaveProperty(name.replace('LogicalResourceId/', ''));
    }
    // Changed in place, a generated secret is generated anew; of the code secret that would lose every generated code.
    expect(packaged[stage].stackPolicy).toContainEqual({
      Effect: 'Deny',
      Principal: '*',
      Action: ['Update:Modify'],
      Resource: 'LogicalResourceId/CodeSecret',
    });
  });
});

describe('the database', () => {
  test('of prod is as the strategy says: two zones, seven days of backups, its windows, a replica', () => {
    expect(templateOf('prod').Resources.DatabaseReplica?.Type).toBe('AWS::RDS::DBInstance');
    expect(resource(templateOf('prod'), 'Database')).toMatchObject({
      DBInstanceClass: 'db.t4g.medium',
      MultiAZ: true,
      AllocatedStorage: 100,
      MaxAllocatedStorage: 500,
      BackupRetentionPeriod: 7,
      PreferredBackupWindow: '03:00-04:00',
      PreferredMaintenanceWindow: 'sun:04:00-sun:05:00',
      EnablePerformanceInsights: true,
      DeletionProtection: true,
    });
    expect(resource(templateOf('dev'), 'Database')).toMatchObject({ MultiAZ: false, DeletionProtection: false });
  });

  test('is asked for nothing that RDS refuses: operations below 400 GiB, sizes with units, half a version', () => {
    for (const stage of stages) {
      for (const [, { Properties }] of ofType(templateOf(stage), 'AWS::RDS::DBInstance')) {
        const isLarge = Number(Properties.AllocatedStorage) >= 400;
        if (!isLarge) for (const name of ['Iops', 'StorageThroughput']) expect(Properties).not.toHaveProperty(name);
        // A replica takes its source's version.
        if (!('SourceDBInstanceIdentifier' in Properties)) expect(Properties.EngineVersion).toMatch(/^15\.\d+$/);
      }
      const { Parameters } = resource(templateOf(stage), 'DatabaseParameters') as { Parameters: Properties };
      const sizes = Object.entries(Parameters).filter(([name]) => /_mem$|_size$|buffers$/.test(name));
      expect(sizes).toHaveLength(6);
      for (const [, size] of sizes) expect(String(size)).toMatch(/^\d+$/);
    }
  });

  test('has large pages where there is memory for them, and seldom checkpoints, as the bench’s has', () => {
    const settingsOf = (stage: (typeof stages)[number]) => resource(templateOf(stage), 'DatabaseParameters').Parameters;
    expect(settingsOf('dev')).toMatchObject({ huge_pages: 'off' });
    expect(settingsOf('prod')).toMatchObject({
      huge_pages: 'on',
      checkpoint_timeout: 900,
      max_wal_size: String(16 * 1024),
    });
    expect(postgresSettings).toMatchObject({ checkpoint_timeout: '15min', max_wal_size: '16GB' });
  });

  test('logs neither parameters nor rows, which hold codes and user ids', () => {
    for (const stage of stages) {
      expect(resource(templateOf(stage), 'DatabaseParameters').Parameters).toMatchObject({
        log_error_verbosity: 'terse',
        log_parameter_max_length: 0,
        log_parameter_max_length_on_error: 0,
      });
    }
  });

  test('of prod has the strategy’s memory, in RDS’s units', () => {
    expect(resource(templateOf('prod'), 'DatabaseParameters').Parameters).toMatchObject({
      shared_buffers: String(1024 ** 3 / 8192),
      effective_cache_size: String((3 * 1024 ** 3) / 8192),
      wal_buffers: String((16 * 1024 ** 2) / 8192),
      maintenance_work_mem: String(256 * 1024),
      work_mem: String(5 * 1024),
    });
  });

  test('changes its passwords by itself, at an hour after which the tasks are restarted', () => {
    for (const stage of stages) {
      const rotations = ofType(templateOf(stage), 'AWS::SecretsManager::RotationSchedule');
      expect(rotations.map(([, { Properties }]) => referencesIn(Properties.SecretId!)[0])).toEqual([
        'DatabaseSecret',
        'DatabaseMasterSecret',
      ]);
      const { RotationRules } = resource(templateOf(stage), 'DatabaseRotation') as { RotationRules: Properties };
      const hourAndDay = (schedule: Value | undefined) =>
        /cron\(0 (\d+) \? \* (\S+) \*\)/.exec(String(schedule))!.slice(1);
      const [hour, day] = hourAndDay(RotationRules.ScheduleExpression);
      const [restartHour, restartDay] = hourAndDay(
        resource(templateOf(stage), 'RestartAfterRotation').ScheduleExpression,
      );
      expect(restartDay).toBe(day);
      expect(Number(restartHour)).toBeGreaterThanOrEqual(Number(hour) + 3);
    }
  });
});

test('the cache sets no maxmemory, which ElastiCache has not, and drops counters nearest to their end', () => {
  for (const stage of stages) {
    const { Properties } = resource(templateOf(stage), 'CacheParameters') as { Properties: Properties };
    expect(Properties).not.toHaveProperty('maxmemory');
    expect(Properties['maxmemory-policy']).toBe('volatile-ttl');
  }
  expect(resource(templateOf('prod'), 'Cache')).toMatchObject({
    Engine: 'valkey',
    CacheNodeType: 'cache.t4g.small',
    NumCacheClusters: 2,
    AutomaticFailoverEnabled: true,
    MultiAZEnabled: true,
    SnapshotRetentionLimit: 5,
  });
});

each('every alarm of %s', (stage) => {
  test('is about something that the template makes', () => {
    const template = templateOf(stage);
    const filtered = ofType(template, 'AWS::Logs::MetricFilter').flatMap(([, { Properties }]) =>
      (Properties.MetricTransformations as Properties[]).map(
        ({ MetricNamespace, MetricName }) => `${MetricNamespace} ${MetricName}`,
      ),
    );
    const alarms = ofType(template, 'AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThanOrEqual(20);
    for (const [name, { Properties }] of alarms) {
      for (const metric of metricsOf(Properties)) {
        const dimensions = asList(metric.Dimensions) as Properties[];
        const own = `${metric.Namespace} ${metric.MetricName}`;
        if (dimensions.length === 0) expect([name, filtered]).toEqual([name, expect.arrayContaining([own])]);
        for (const dimension of dimensions) {
          // A metric that a function writes itself has the function's name in it (handlers/middleware/lambda-stack.ts).
          if (dimension.Name === 'service') {
            const functions = ofType(template, 'AWS::Lambda::Function').map(
              ([, { Properties }]) => Properties.FunctionName,
            );
            expect(functions).toContain(String(dimension.Value).replace('qurable-', `qurable-${stage}-`));
            continue;
          }
          const referred = referencesIn(dimension.Value!);
          expect([name, referred.length]).toEqual([name, 1]);
          expect(template.Resources).toHaveProperty(referred[0]!);
        }
      }
    }
  });

  test('is told to somebody, when it rings and when it is over', () => {
    for (const [, { Properties }] of ofType(templateOf(stage), 'AWS::CloudWatch::Alarm')) {
      expect(Properties).toMatchObject({ AlarmActions: [{ Ref: 'AlertTopic' }], OKActions: [{ Ref: 'AlertTopic' }] });
    }
  });

  test('rings at the strategy’s numbers', () => {
    const threshold = (name: string) => Number(resource(templateOf(stage), name).Threshold);
    expect([threshold('TaskCpuAlarm'), threshold('ErrorRateAlarm')]).toEqual([80, 0.1]);
    expect(threshold('QueueAgeAlarm')).toBe(limits.queueShedAgeMillis);
  });
});

test('logs are kept 7 days where they are details and 30 where they are of the API and the functions', () => {
  const days = (stage: keyof typeof packaged) =>
    Object.fromEntries(
      ofType(templateOf(stage), 'AWS::Logs::LogGroup').map(([name, { Properties }]) => [
        name,
        Properties.RetentionInDays,
      ]),
    );
  expect(days('prod')).toEqual({
    ApiLogGroup: 30,
    OperatorLogGroup: 30,
    AnnounceLogGroup: 30,
    AskDashnewDashtasksLogGroup: 30,
    AskDashrestoredLogGroup: 30,
    DeliverLogGroup: 30,
    DrillLogGroup: 30,
    MigrateLogGroup: 30,
    RotateLogGroup: 30,
    ScaleLogGroup: 30,
    SnapshotLogGroup: 30,
    DatabaseLogGroup: 7,
    FirewallLogGroup: 7,
    FlowLogGroup: 7,
  });
  expect(new Set(Object.values(days('dev')))).toEqual(new Set([7]));
});

function readSource(path: string): string {
  return readFileSync(resolve(import.meta.dirname, '../..', path), 'utf8');
}

/** The metrics that an alarm looks at. */
function metricsOf(alarm: Properties): Properties[] {
  if ('MetricName' in alarm) return [alarm];
  return (alarm.Metrics as Properties[])
    .filter((metric) => 'MetricStat' in metric)
    .map((metric) => (metric.MetricStat as Properties).Metric as Properties);
}
