import { describe, expect, test } from '@jest/globals';
import {
  changesOfDev,
  type packaged,
  packageStages,
  secretsOf,
  stages,
  statementsOf,
  templateOf,
  variablesOf,
} from './packaged-stages.ts';
import { ofType, type Properties, packageStage, packagingMillis, referencesIn, resource } from './packaged-template.ts';

packageStages();

describe('the company’s sign-in to the console', () => {
  test('is told to the tasks, which alone may read its secret; without one nothing of it is there', () => {
    const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:OidcClient-abcdef';
    expect(variablesOf('options')).toMatchObject({
      OIDC_ISSUER: 'https://login.example',
      OIDC_CLIENT_ID: 'qurable-console',
      OIDC_ROLES: 'coupon-admins=admin;support=operator',
    });
    expect(secretsOf('options').OIDC_CLIENT_SECRET).toBe(arn);
    const readers = (stage: keyof typeof packaged) =>
      statementsOf(templateOf(stage)).filter(({ statement }) => JSON.stringify(statement).includes(arn));
    expect(readers('options').map(({ place }) => place)).toEqual(Array(2).fill('OidcClientSecretPolicy'));
    expect(readers('dev')).toEqual([]);
    expect(secretsOf('dev')).not.toHaveProperty('OIDC_CLIENT_SECRET');
  });
});

test('with a way out of the network, the function that sends webhooks is called through that, and no endpoint is paid', () => {
  expect(templateOf('options').Resources).not.toHaveProperty('LambdaEndpoint');
  expect(variablesOf('options')).toHaveProperty('WEBHOOK_SENDER_FUNCTION');
});

describe('traces', () => {
  const ofXray = (stage: keyof typeof packaged) =>
    statementsOf(templateOf(stage)).filter(({ statement }) => JSON.stringify(statement).includes('xray:'));

  test('are off by themselves: no right, no endpoint, nothing told to tasks or functions', () => {
    for (const stage of stages) {
      expect(ofXray(stage)).toEqual([]);
      expect(templateOf(stage).Resources).not.toHaveProperty('XrayEndpoint');
      expect(variablesOf(stage)).toMatchObject({ OTEL_EXPORTER_OTLP_ENDPOINT: '', TRACE_AWS_REGION: '' });
      for (const [, { Properties }] of ofType(templateOf(stage), 'AWS::Lambda::Function'))
        expect(Properties).not.toHaveProperty('TracingConfig');
    }
  });

  test('of tasks are signed for X-Ray, through the way out that there is, with the right to write them and no other', () => {
    expect(variablesOf('options')).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: { 'Fn::Sub': expect.stringContaining('https://xray.') },
      TRACE_AWS_REGION: { Ref: 'AWS::Region' },
      TRACE_ONE_IN: '100',
    });
    expect(templateOf('options').Resources).not.toHaveProperty('XrayEndpoint');
    const tasks = ofXray('options').filter(({ place }) => place === 'TracesOfTasks');
    expect(tasks.map(({ statement }) => statement.Action)).toEqual(['xray:PutTraceSegments']);
    expect(resource(templateOf('options'), 'TracesOfTasks').Roles).toEqual([{ Ref: 'TaskRole' }]);
  });

  test('of functions are Lambda’s own, of every function and by its role', () => {
    const functions = ofType(templateOf('options'), 'AWS::Lambda::Function').filter(
      ([, { Properties }]) => 'TracingConfig' in Properties,
    );
    const roles = functions.map(([, { Properties }]) => referencesIn(Properties.Role!)[0]);
    for (const [, { Properties }] of functions) expect(Properties.TracingConfig).toEqual({ Mode: 'Active' });
    expect(functions).toHaveLength(ofType(templateOf('options'), 'AWS::Lambda::Function').length);
    const allowed = referencesIn(resource(templateOf('options'), 'TracesOfFunctions').Roles!);
    expect(allowed.toSorted()).toEqual(roles.toSorted());
  });

  test(
    'of tasks without a way out have an endpoint, for their role and for writing alone',
    async () => {
      const { template } = await packageStage('dev', changesOfDev);
      const { PolicyDocument, ServiceName } = resource(template, 'XrayEndpoint') as { [name: string]: Properties };
      expect(JSON.stringify(ServiceName)).toContain('.xray');
      expect((PolicyDocument!.Statement as Properties[])[0]).toMatchObject({
        Action: 'xray:PutTraceSegments',
        Condition: { ArnEquals: { 'aws:PrincipalArn': { 'Fn::GetAtt': ['TaskRole', 'Arn'] } } },
      });
    },
    packagingMillis,
  );
});

describe('what contradicts itself or is unknown', () => {
  test(
    // What else is refused is in parameters.test.ts, which asks the same code without the packager. That the packager
    // refuses a value, too, is in cost.test.ts.
    'is refused at package time, by a sentence',
    async () => {
      const { ok, output } = await packageStage('dev', { alertMail: 'ana@example.com' });
      expect(ok).toBe(false);
      expect(output).toContain('there is no parameter "alertMail"');
    },
    packagingMillis,
  );
});

describe('a JWKS address', () => {
  test('with a way out takes the place of the signing secret, and each private subnet has a route', () => {
    expect(variablesOf('options')).toMatchObject({ JWT_JWKS_URL: 'https://issuer.example/keys' });
    expect(secretsOf('options')).not.toHaveProperty('JWT_SECRET');
    const routes = ofType(templateOf('options'), 'AWS::EC2::Route').filter(
      ([, { Properties }]) => 'NatGatewayId' in Properties,
    );
    expect(routes.map(([, { Properties }]) => Properties.RouteTableId)).toEqual([
      { Ref: 'PrivateRoutesA' },
      { Ref: 'PrivateRoutesB' },
    ]);
  });
});
