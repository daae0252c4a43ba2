import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { answerMaxMillis } from '../../core/index.ts';
import {
  packaged,
  packageStages,
  secretsOf,
  stages,
  statementsOf,
  templateOf,
  variablesOf,
} from './packaged-stages.ts';
import { asList, objectsIn, ofType, referencesIn, resource, type Value } from './packaged-template.ts';

const resourcesFolder = resolve(import.meta.dirname, '../../resources');
const sources = readdirSync(resourcesFolder)
  .filter((name) => name.endsWith('.yml'))
  .map((name) => readFileSync(join(resourcesFolder, name), 'utf8'));
const each = describe.each(stages);

packageStages();

each('who may do what in %s', (stage) => {
  test('is said for each function in a role of its own', () => {
    const roles = ofType(templateOf(stage), 'AWS::Lambda::Function').map(([, { Properties }]) =>
      referencesIn(Properties.Role!),
    );
    expect(roles.flat().sort()).toEqual([
      'AnnounceRole',
      'AskNewTasksRole',
      'AskRestoredRole',
      'DeliverRole',
      'DrillRole',
      'MigrateRole',
      'RotateRole',
      'ScaleRole',
      'SnapshotRole',
    ]);
    expect(packaged[stage].text).not.toContain('ManagedPolicyArns');
  });

  test('is nowhere a star, but where its reason is written above it', () => {
    const starred = statementsOf(templateOf(stage)).filter(({ statement }) => {
      const isStar = (value: Value) => value === '*' || /^[a-z0-9-]+:\*$/.test(String(value));
      return (
        statement.Effect === 'Allow' &&
        [...asList(statement.Action), ...asList(statement.Resource), ...asList(statement.Principal)].some(isStar)
      );
    });
    const unreasoned = starred.filter(({ statement }) => !hasReason(String(statement.Sid)));
    expect(unreasoned).toEqual([]);
    expect([...new Set(starred.map(({ statement }) => statement.Sid))].sort()).toEqual([
      'AccountDecidesByItsPolicies',
      'AlarmsOfThisAccount',
      'AnswersToCloudFormation',
      'EventsOfTheDatabase',
      'EventsToTheAlertTopic',
      'FilesForOperators',
      'FunctionsOfTheTasks',
      'LayersOfImages',
      'LogGroupsOfThisAccount',
      'NetworkInterfacesOfFunctions',
      'OfThisAccountAlone',
      'ReadTheRangeOfTheService',
      'TokenOfTheRegistry',
      'TokenOfTheRegistryForOperators',
    ]);
  });

  test('leaves tasks one right of their own: to call the functions that send webhooks and mails', () => {
    const ofRole = (role: string) =>
      statementsOf(templateOf(stage)).flatMap(({ place, statement }) =>
        place === role && statement.Action !== 'sts:AssumeRole' ? [statement] : [],
      );
    const functions = ['Deliver', 'Announce'].map((name) => ({ 'Fn::GetAtt': [`${name}LambdaFunction`, 'Arn'] }));
    expect(ofRole('TaskRole')).toEqual([{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: functions }]);
    expect(ofRole('LambdaEndpoint')).toEqual([
      {
        Sid: 'FunctionsOfTheTasks',
        Effect: 'Allow',
        Principal: '*',
        Action: 'lambda:InvokeFunction',
        Resource: functions,
        Condition: { ArnEquals: { 'aws:PrincipalArn': { 'Fn::GetAtt': ['TaskRole', 'Arn'] } } },
      },
    ]);
  });

  test('leaves the function that sends webhooks its log, outside of the network, and of the account a bounded share in prod', () => {
    const own = statementsOf(templateOf(stage)).filter(
      ({ place, statement }) => place === 'DeliverRole' && statement.Action !== 'sts:AssumeRole',
    );
    expect(own.map(({ statement }) => statement.Action)).toEqual([['logs:CreateLogStream', 'logs:PutLogEvents']]);
    expect(JSON.stringify(own[0]!.statement.Resource)).toContain(`/aws/lambda/qurable-${stage}-deliver:*`);
    const deliver = resource(templateOf(stage), 'DeliverLambdaFunction');
    expect(deliver).not.toHaveProperty('VpcConfig');
    expect(deliver.ReservedConcurrentExecutions).toEqual(stage === 'prod' ? 50 : { Ref: 'AWS::NoValue' });
    // A receiver's time, that of its answer's body, and what the stack keeps to say that the time is over.
    expect(Number(deliver.Timeout) * 1000).toBeGreaterThan(answerMaxMillis + 1_000 + 10_000);
    expect(variablesOf(stage).WEBHOOK_SENDER_FUNCTION).toEqual({ 'Fn::GetAtt': ['DeliverLambdaFunction', 'Arn'] });
  });

  test('lets the function that tells operators of books publish to their topic, and nowhere else', () => {
    const own = statementsOf(templateOf(stage)).filter(
      ({ place, statement }) => place === 'AnnounceRole' && statement.Action !== 'sts:AssumeRole',
    );
    expect(own.map(({ statement }) => statement.Action)).toEqual([
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      'sns:Publish',
      ['kms:Decrypt', 'kms:GenerateDataKey'],
    ]);
    expect(own[1]!.statement.Resource).toEqual({ Ref: 'BookTopic' });
    expect(JSON.stringify(own[2]!.statement.Condition)).toContain('sns.$');
    const announce = resource(templateOf(stage), 'AnnounceLambdaFunction');
    expect(announce).not.toHaveProperty('VpcConfig');
    expect(announce.Environment).toMatchObject({ Variables: { ANNOUNCE_TOPIC_ARN: { Ref: 'BookTopic' } } });
    // A claim outlives the function's longest call, or two would tell the same
    // (core/webhooks/delivery/announce-stock.ts).
    expect(Number(announce.Timeout)).toBeLessThan(60);
    expect(variablesOf(stage).STOCK_ANNOUNCER_FUNCTION).toEqual({ 'Fn::GetAtt': ['AnnounceLambdaFunction', 'Arn'] });
    expect(resource(templateOf(stage), 'BookTopic').KmsMasterKeyId).toEqual({ Ref: 'Key' });
  });

  test('lets a function delete only snapshots that it marked as its own', () => {
    const deleting = statementsOf(templateOf(stage)).filter(({ statement }) =>
      asList(statement.Action).some((action) => /Delete(DB)?Snapshot/.test(String(action))),
    );
    expect(deleting.map(({ statement }) => statement.Condition)).toEqual([
      { StringEquals: { 'aws:ResourceTag/qurable:snapshots-of': `qurable-${stage}` } },
    ]);
  });

  test('is for services of this account: whoever assumes a role for another account is refused', () => {
    const services = /ecs-tasks|scheduler|states|vpc-flow-logs/;
    for (const [, { Properties }] of ofType(templateOf(stage), 'AWS::IAM::Role')) {
      const text = JSON.stringify(Properties.AssumeRolePolicyDocument);
      if (services.test(text)) expect(text).toContain('aws:SourceAccount');
    }
  });
});

each('secrets of %s', (stage) => {
  test('stand in no template and in no variable: they are generated, or resolved on the way to a service', () => {
    const named = /password|secret|token|credential/i;
    const isName =
      /Arn$|Id$|^ServiceToken$|^Secrets$|RotationLambda|^VersionStage|SecretsManager|^GenerateSecretString$/;
    const dynamic = /\{\{resolve:secretsmanager:/;
    const suspicious = [...objectsIn(templateOf(stage) as unknown as Value)]
      .flatMap((object) => Object.entries(object))
      .filter(([name, value]) => named.test(name) && !isName.test(name) && typeof value === 'string')
      .filter(([, value]) => !dynamic.test(String(value)));
    expect(suspicious).toEqual([
      // What a generated password is put beside.
      ['SecretStringTemplate', '{"username":"qurable_admin"}'],
      ['SecretStringTemplate', '{"username":"qurable_a"}'],
      ['password_encryption', 'scram-sha-256'],
    ]);
    for (const name of ['DB_PASSWORD', 'CODE_SECRET', 'JWT_SECRET', 'QURABLE_ADMIN_KEY', 'REDIS_AUTH_TOKEN']) {
      expect(variablesOf(stage)).not.toHaveProperty(name);
      expect(secretsOf(stage)).toHaveProperty(name);
    }
  });

  test('are generated from what never changes: CloudFormation makes a value anew where anything of it does', () => {
    const generated = ofType(templateOf(stage), 'AWS::SecretsManager::Secret')
      .filter(([, { Properties }]) => 'GenerateSecretString' in Properties)
      .map(([name, { Properties }]) => [name, Properties.GenerateSecretString]);
    const login = { GenerateStringKey: 'password', PasswordLength: 40, ExcludePunctuation: true };
    const token = { PasswordLength: 64, ExcludePunctuation: true };
    expect(Object.fromEntries(generated)).toEqual({
      DatabaseMasterSecret: { ...login, SecretStringTemplate: '{"username":"qurable_admin"}' },
      DatabaseSecret: { ...login, SecretStringTemplate: '{"username":"qurable_a"}' },
      CacheSecret: token,
      JwtSecret: token,
      CodeSecret: token,
      AdminKeySeed: { PasswordLength: 48, ExcludePunctuation: true },
    });
  });

  test('are what the database, the cache and the admin key are made of', () => {
    const template = templateOf(stage);
    for (const value of [
      resource(template, 'Database').MasterUserPassword,
      resource(template, 'Cache').AuthToken,
      resource(template, 'AdminKeySecret').SecretString,
    ]) {
      expect(JSON.stringify(value)).toMatch(/\{\{resolve:secretsmanager:\$\{\w+\}/);
    }
    // core/config.ts takes qk_ and 32 to 128 characters in all.
    expect(resource(template, 'AdminKeySeed').GenerateSecretString).toMatchObject({ PasswordLength: 48 });
  });
});

describe('a code secret of an earlier deployment', () => {
  test('is the one that tasks are given, may read and may decrypt, and none is made', () => {
    const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:CodeSecret-abcdef';
    expect(secretsOf('options').CODE_SECRET).toBe(arn);
    expect(templateOf('options').Resources).not.toHaveProperty('CodeSecret');
    const statements = statementsOf(templateOf('options')).map(({ statement }) => JSON.stringify(statement));
    // The tasks' role, and the operators', whose events' task has it too.
    expect(statements.filter((text) => text.includes(arn) && text.includes('GetSecretValue'))).toHaveLength(2);
    expect(statements.filter((text) => text.includes(arn) && text.includes('kms:Decrypt'))).toHaveLength(1);
  });
});

/** Whether the source has a comment above the statement with this name, or above its policy's first one. */
function hasReason(sid: string): boolean {
  return sources.some((text) => {
    const lines = text.split('\n');
    const at = lines.findIndex((line) => line.includes(`Sid: ${sid}`));
    return at > 0 && lines.slice(Math.max(0, at - 10), at).some((line) => /^\s*#/.test(line));
  });
}
