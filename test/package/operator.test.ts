import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { changesOfDev } from './packaged-stages.ts';
import {
  asList,
  type Packaged,
  type Properties,
  packageStage,
  packagingMillis,
  referencesIn,
  resource,
  type Value,
} from './packaged-template.ts';

const project = resolve(import.meta.dirname, '../..');
const script = readFileSync(join(project, '.github/scripts/operate.sh'), 'utf8');
/** Each with the role that its task has. */
const definitions = {
  OperatorTaskDefinition: 'OperatorTaskRole',
  RewrapTaskDefinition: 'OperatorTaskRole',
  EventsTaskDefinition: 'EventsTaskRole',
};
let packaged: Packaged;

beforeAll(async () => {
  packaged = await packageStage('dev');
}, packagingMillis);

const containerOf = (definition: string) =>
  asList(resource(packaged.template, definition).ContainerDefinitions)[0] as Properties;

function named(items: Value | undefined): Record<string, Value> {
  return Object.fromEntries((items as Properties[]).map(({ Name, Value, ValueFrom }) => [Name, Value ?? ValueFrom!]));
}

describe('an operator’s task', () => {
  test('runs the image of the API, may write nothing and call no service, and leaves every line that it prints', () => {
    const { Image } = asList(resource(packaged.template, 'TaskDefinition').ContainerDefinitions)[0] as Properties;
    for (const [definition, role] of Object.entries(definitions)) {
      const { TaskRoleArn, ExecutionRoleArn } = resource(packaged.template, definition);
      expect([TaskRoleArn, ExecutionRoleArn].flatMap((found) => referencesIn(found!))).toEqual([
        role,
        'OperatorExecutionRole',
      ]);
      expect(containerOf(definition)).toMatchObject({
        Image: Image!,
        User: '1000:1000',
        ReadonlyRootFilesystem: true,
        LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
        LogConfiguration: { Options: { 'awslogs-group': { Ref: 'OperatorLogGroup' }, mode: 'blocking' } },
      });
      expect(containerOf(definition)).not.toHaveProperty('PortMappings');
    }
    expect(resource(packaged.template, 'OperatorTaskRole')).not.toHaveProperty('Policies');
    expect(resource(packaged.template, 'OperatorLogGroup')).toHaveProperty('KmsKeyId');
  });

  test('is given the database and the code secret, and neither the admin key nor what signs tokens', () => {
    const secrets = Object.keys(named(containerOf('OperatorTaskDefinition').Secrets));
    expect(secrets).toEqual(['DB_USERNAME', 'DB_PASSWORD', 'CODE_SECRET']);
    expect(Object.keys(named(containerOf('RewrapTaskDefinition').Secrets))).toEqual([
      ...secrets,
      'PREVIOUS_CODE_SECRET',
    ]);
    const readable = JSON.stringify(resource(packaged.template, 'OperatorExecutionRole'));
    for (const name of ['AdminKeySecret', 'JwtSecret', 'CacheSecret', 'DatabaseMasterSecret']) {
      expect(readable).not.toContain(name);
    }
  });

  test('reaches the database and the endpoints, and nothing reaches it', () => {
    const group = resource(packaged.template, 'OperatorSecurityGroup');
    expect(group).not.toHaveProperty('SecurityGroupIngress');
    expect((group.SecurityGroupEgress as Properties[]).map(({ ToPort }) => ToPort)).toEqual([5432, 443]);
    const endpoints = resource(packaged.template, 'EndpointSecurityGroup').SecurityGroupIngress as Properties[];
    expect(endpoints.flatMap(({ SourceSecurityGroupId }) => referencesIn(SourceSecurityGroupId!))).toContain(
      'OperatorSecurityGroup',
    );
  });

  test('runs programs that are there, under the name by which the script overrides them', () => {
    const programs = script.match(/core\/[\w/-]+\.ts/g) ?? [];
    expect(programs).toHaveLength(3);
    const names = Object.keys(definitions);
    const defaults = names.map((definition) => (containerOf(definition).Command as string[])[1]!);
    const [, ofEvents = ''] = /^ {2}(export-events [^)]+)\)/m.exec(script) ?? [];
    expect(ofEvents.split(' | ')).toHaveLength(4);
    const onEvents = ofEvents.split(' | ').map((command) => `operations/events/${command}-command.ts`);
    for (const program of [...programs, ...defaults, ...onEvents])
      expect([program, existsSync(join(project, program))]).toEqual([program, true]);
    for (const definition of names) expect(script).toContain(`name: "${containerOf(definition).Name}"`);
  });
});

describe('the task that exports events', () => {
  test('starts each night, and whoever is told of alarms is told where it fails', () => {
    const { ScheduleExpression, Target } = resource(packaged.template, 'NightlyEvents');
    expect(ScheduleExpression).toBe('cron(30 1 * * ? *)');
    expect(Target).toMatchObject({
      EcsParameters: { TaskDefinitionArn: { Ref: 'EventsTaskDefinition' }, LaunchType: 'FARGATE' },
      DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['FailedScheduleQueue', 'Arn'] } },
    });
    const { EventPattern, Targets } = resource(packaged.template, 'EventsFailed');
    expect(EventPattern).toMatchObject({
      detail: { lastStatus: ['STOPPED'], containers: { exitCode: [{ 'anything-but': 0 }] } },
    });
    expect(referencesIn(Targets!)).toEqual(['AlertTopic']);
  });

  test(
    'may read and write one folder, remove open exports alone, and removes months only where it is told to',
    async () => {
      const [{ PolicyDocument }] = resource(packaged.template, 'EventsTaskRole').Policies as [Properties];
      const statements = (PolicyDocument as Properties).Statement as Properties[];
      const folder = (name: string) => ({ 'Fn::Sub': `\${BackupBucket.Arn}/events/${name}*` });
      expect(statements.map(({ Action, Resource }) => [Action, Resource])).toEqual([
        [['s3:GetObject', 's3:PutObject'], folder('')],
        ['s3:DeleteObject', folder('open/')],
        ['s3:ListBucket', { 'Fn::GetAtt': ['BackupBucket', 'Arn'] }],
        [['kms:Decrypt', 'kms:GenerateDataKey'], { 'Fn::GetAtt': ['Key', 'Arn'] }],
      ]);
      const container = containerOf('EventsTaskDefinition');
      expect(container.Command).toEqual(['node', 'operations/events/export-events-command.ts', '--open']);
      expect(named(container.Environment)).toMatchObject({
        EVENTS_ARCHIVE: { 'Fn::Sub': `s3://\${BackupBucket}/events` },
        EVENTS_KEEP_MONTHS: '',
      });
      const { template } = await packageStage('dev', changesOfDev);
      const kept = asList(resource(template, 'EventsTaskDefinition').ContainerDefinitions)[0] as Properties;
      expect([(kept.Command as string[]).at(-1), named(kept.Environment).EVENTS_KEEP_MONTHS]).toEqual(['--drop', '13']);
    },
    packagingMillis,
  );
});

describe('a version of the code secret', () => {
  test('is one secret for good, by its label, and the command that wraps the keys has the next beside it', async () => {
    const first = containerOf('RewrapTaskDefinition');
    expect(named(first.Environment)).toMatchObject({ CODE_SECRET_VERSION: '2', PREVIOUS_CODE_SECRET_VERSION: '1' });
    expect(named(first.Secrets)).toMatchObject({
      CODE_SECRET: { 'Fn::Join': ['', [{ Ref: 'CodeSecret' }, '::code-secret-2:']] },
      PREVIOUS_CODE_SECRET: { Ref: 'CodeSecret' },
    });
    expect(script).toContain('label="code-secret-$version"');
  });

  test(
    'that is raised is what the tasks are given',
    async () => {
      const { template } = await packageStage('dev', changesOfDev);
      const api = asList(resource(template, 'TaskDefinition').ContainerDefinitions)[0] as Properties;
      expect(named(api.Environment)).toMatchObject({ CODE_SECRET_VERSION: '2' });
      expect(named(api.Secrets)).toMatchObject({
        CODE_SECRET: { 'Fn::Join': ['', [{ Ref: 'CodeSecret' }, '::code-secret-2:']] },
        // Keys that a deployment changes are secrets of another name, so that nothing brings the former value back.
        QURABLE_ADMIN_KEY: { Ref: 'AdminKeySecret3' },
        JWT_SECRET: { Ref: 'JwtSecret2' },
      });
      for (const name of ['AdminKeySecret', 'AdminKeySeed', 'JwtSecret'])
        expect(template.Resources).not.toHaveProperty(name);
      expect(resource(template, 'AdminKeySecret3').SecretString).toEqual({
        'Fn::Sub': `qk_{{resolve:secretsmanager:\${AdminKeySeed3}:SecretString}}`,
      });
      const readable = JSON.stringify(resource(template, 'TaskExecutionRole'));
      expect(readable).toContain('AdminKeySecret3');
      expect(readable).toContain('JwtSecret2');
    },
    packagingMillis,
  );
});
