import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  asList,
  optionsOfProd,
  packageStage,
  packagingMillis,
  type Resource,
  referencesIn,
  type Template,
  trialOfProd,
} from '../package/packaged-template.ts';
import { isLong } from '../support/long-run.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { canEmulate, type Emulator, startEmulator } from './emulator/start-emulator.ts';
import { type Account, openAccount } from './support/account.ts';

/**
 * What AWS refuses the emulator must refuse, or a deployment that holds in it says nothing. It is tried with parts of
 * prod.
 */
const stackMillis = 480_000;
const onePort = 'A listener already exists on this port';

let emulator: Emulator;
let account: Account;
let guarded: Template;
let plain: Template;
let secure: Template;

const describeOrSkip = requireOrSkip('python3 with moto[server]', canEmulate());

describeOrSkip('the emulator, as AWS would,', () => {
  beforeAll(async () => {
    emulator = await startEmulator();
    account = openAccount(emulator.url);
    const packaged = async (parameters: Record<string, string>): Promise<Template> => {
      const made = await packageStage('prod', parameters);
      if (!made.ok) throw new Error(made.output);
      return made.template;
    };
    guarded = await packaged(trialOfProd);
    plain = unguarded(guarded);
    secure = unguarded(await packaged(optionsOfProd));
  }, packagingMillis);

  afterAll(async () => {
    await emulator?.stop();
  });

  test(
    'lets no two listeners have a port, in whichever order they are changed: http → https → http holds by a listener a port',
    async () => {
      const http = partOf(plain, 'HttpListener');
      const https = partOf(secure, 'HttpListener', 'HttpsListener');
      expect(await create('entrance', http)).toBe('CREATE_COMPLETE');
      const port80 = await physicalId('entrance', 'HttpListener');
      // Once each way; the long run changes it back and forth.
      for (const next of [https, http, ...(isLong ? [https, http, https, http] : [])]) {
        expect(await update('entrance', next)).toBe('UPDATE_COMPLETE');
        expect(await physicalId('entrance', 'HttpListener')).toBe(port80);
      }
      expect(await remove('entrance')).toBe('DELETE_COMPLETE');

      // One name for whichever port leads to the service, and another for the redirect.
      const { HttpListener: forward, ...rest } = http.Resources;
      const single = { ...http, Resources: { ...rest, Listener: forward! } };
      const { HttpListener: redirect, HttpsListener: tls, ...others } = https.Resources;
      const { DependsOn: _, ...free } = redirect!;
      const pair = { ...https, Resources: { ...others, Listener: tls!, RedirectListener: free } };
      expect(await create('single', single)).toBe('CREATE_COMPLETE');
      const there: string[] = [];
      for (let attempt = 0; attempt < 6 && there.at(-1) !== 'UPDATE_COMPLETE'; attempt += 1) {
        there.push(await update('single', pair));
      }
      // Whether the first listener has gone to 443 when the second one comes to 80 is a matter of luck.
      expect(there).toContain('UPDATE_ROLLBACK_COMPLETE');
      expect(await reasons('single')).toContainEqual(expect.stringContaining(onePort));
      expect(there.at(-1)).toBe('UPDATE_COMPLETE');
      expect(await update('single', single)).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(await remove('single')).toBe('DELETE_COMPLETE');
    },
    stackMillis,
  );

  test(
    'upgrades a copy before its database, and nothing back: both at once, or the database first, is refused',
    async () => {
      const both = partOf(plain, 'Database', 'DatabaseReplica');
      expect(await create('versions', both)).toBe('CREATE_COMPLETE');
      const first = { Database: '15.18', DatabaseReplica: '15.17' };
      const atOnce = { Database: '15.18', DatabaseReplica: '15.18' };
      for (const wanted of [first, atOnce]) {
        expect(await update('versions', withVersions(both, wanted))).toBe('UPDATE_ROLLBACK_COMPLETE');
        expect(await versions()).toEqual(['15.17', '15.17']);
      }
      expect(await reasons('versions')).toContainEqual(expect.stringContaining('read replicas need to be upgraded'));
      const copyFirst = { Database: '15.17', DatabaseReplica: '15.18' };
      for (const wanted of [copyFirst, atOnce]) {
        expect(await update('versions', withVersions(both, wanted))).toBe('UPDATE_COMPLETE');
      }
      expect(await versions()).toEqual(['15.18', '15.18']);
      expect(await update('versions', withVersions(both, copyFirst))).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(await reasons('versions')).toContainEqual('Cannot upgrade postgres from 15.18 to 15.17');
      expect(await remove('versions')).toBe('DELETE_COMPLETE');
    },
    stackMillis,
  );

  test(
    'deletes neither load balancer nor database that is protected: a removal takes away what is around them, unless the stack is',
    async () => {
      const entrance = partOf(guarded, 'HttpListener', 'Database');
      expect(await create('removal', entrance)).toBe('CREATE_COMPLETE');
      const before = await resources('removal');
      const protection = (on: boolean) =>
        account.cloudFormation.send(
          new UpdateTerminationProtectionCommand({ StackName: 'removal', EnableTerminationProtection: on }),
        );
      await protection(true);
      await expect(remove('removal')).rejects.toThrow('cannot be deleted while TerminationProtection is enabled');
      expect(await resources('removal')).toEqual(before);
      await protection(false);
      expect(await remove('removal')).toBe('DELETE_FAILED');
      const left = await resources('removal');
      expect(left.length).toBeLessThan(before.length);
      expect(left).not.toContain('HttpListener');
    },
    stackMillis,
  );

  test(
    'takes a first deployment that fails back, but for what is protected',
    async () => {
      const broken: Resource = {
        Type: 'AWS::RDS::DBInstance',
        DependsOn: ['Database', 'LoadBalancer'],
        Properties: { SourceDBInstanceIdentifier: 'nowhere', DBInstanceClass: 'db.t4g.micro' },
      };
      const failing = (template: Template) => {
        const part = partOf(renamed(template), 'LoadBalancer', 'Database');
        return { ...part, Resources: { ...part.Resources, Broken: broken } };
      };
      expect(await create('first', failing(plain))).toBe('ROLLBACK_COMPLETE');
      expect(await resources('first')).toEqual([]);
      expect(await create('second', failing(guarded))).toBe('ROLLBACK_FAILED');
      expect(await resources('second')).not.toEqual([]);
    },
    stackMillis,
  );

  test(
    'replaces nothing under its own name',
    async () => {
      const named = (name: string, more: object): Template => ({
        Resources: { Instance: { Type: 'AWS::RDS::DBInstance', Properties: { ...databaseOf(name), ...more } } },
        Outputs: {},
      });
      expect(await create('renaming', named('one', {}))).toBe('CREATE_COMPLETE');
      expect(await update('renaming', named('one', { DBName: 'other' }))).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(await reasons('renaming')).toContainEqual(expect.stringContaining('custom-named resource'));
      expect(await update('renaming', named('two', { DBName: 'other' }))).toBe('UPDATE_COMPLETE');
      expect(await physicalId('renaming', 'Instance')).toBe('two');
    },
    stackMillis,
  );

  test(
    'runs no more tasks than the quota has virtual processors for',
    async () => {
      expect(await create('quota', await serviceTemplate(['Listener'], 50))).toBe('CREATE_COMPLETE');
      const cluster = await physicalId('quota', 'Cluster');
      const running = async () => {
        const found = await account.ecs.send(
          new DescribeServicesCommand({ cluster, services: [await physicalId('quota', 'Service')] }),
        );
        return found.services?.[0];
      };
      // A new account's six, half of one a task, as in prod.
      expect(await running()).toMatchObject({ desiredCount: 50, runningCount: 12 });
      expect((await running())?.events?.[0]?.message).toContain('reached the limit on the number of vCPUs');
      await emulator.setQuota('fargate/L-3032A538', 50);
      expect(await running()).toMatchObject({ runningCount: 50, events: [] });
      expect(await remove('quota')).toBe('DELETE_COMPLETE');
    },
    stackMillis,
  );

  test(
    'begins with whatever waits for nothing: a service that does not say that it needs its listener fails in some orders',
    async () => {
      const ended = async (name: string, dependsOn: string[]) => create(name, await serviceTemplate(dependsOn));
      const without: string[] = [];
      // The orders are drawn by the stacks' names, so that the same ones come each time.
      for (let attempt = 1; attempt <= 6 && (isLong || new Set(without).size < 2); attempt += 1) {
        without.push(await ended(`free-${attempt}`, []));
        expect(await ended(`bound-${attempt}`, ['Listener'])).toBe('CREATE_COMPLETE');
        for (const name of ['free', 'bound']) await remove(`${name}-${attempt}`);
      }
      expect(new Set(without)).toEqual(new Set(['CREATE_COMPLETE', 'ROLLBACK_COMPLETE']));
    },
    stackMillis,
  );
});

/** The named resources of a template, and whatever they lead to. */
function partOf(template: Template, ...names: string[]): Template {
  const Resources: Record<string, Resource> = {};
  const visit = (name: string) => {
    const found = template.Resources[name];
    if (found === undefined || name in Resources) return;
    Resources[name] = found;
    for (const other of [...asList(found.DependsOn), ...referencesIn(found.Properties ?? {})]) visit(String(other));
  };
  for (const name of names) visit(name);
  return { Resources, Outputs: {} };
}

/** What deletionProtection=false makes of a template. */
function unguarded(template: Template): Template {
  const text = JSON.stringify(template)
    .replaceAll('"DeletionProtection":true', '"DeletionProtection":false')
    .replaceAll(/"deletion_protection.enabled","Value":"?true"?/g, '"deletion_protection.enabled","Value":"false"');
  return JSON.parse(text) as Template;
}

/** The same template with names of another stage, so that two stacks can be there at a time. */
function renamed(template: Template): Template {
  return JSON.parse(JSON.stringify(template).replaceAll('qurable-prod', 'qurable-again')) as Template;
}

function withVersions(template: Template, wanted: Record<string, string>): Template {
  const changed = Object.entries(wanted).map(([name, EngineVersion]) => {
    const found = template.Resources[name]!;
    return [name, { ...found, Properties: { ...found.Properties, EngineVersion } }];
  });
  return { ...template, Resources: { ...template.Resources, ...Object.fromEntries(changed) } };
}

function databaseOf(DBInstanceIdentifier: string) {
  const account = { MasterUsername: 'someone', MasterUserPassword: 'not-a-secret' };
  return {
    DBInstanceIdentifier,
    Engine: 'postgres',
    DBInstanceClass: 'db.t4g.micro',
    AllocatedStorage: 20,
    ...account,
  };
}

/** A service of tasks of half a processor behind a load balancer, in the account's own network. */
async function serviceTemplate(dependsOn: string[], tasks = 1): Promise<Template> {
  const network = {
    Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.1.0.0/16' } },
    Subnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.1.0.0/24' } },
    Balancer: { Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: { Subnets: [{ Ref: 'Subnet' }] } },
    Targets: {
      Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
      Properties: { VpcId: { Ref: 'Vpc' }, Port: 3000, Protocol: 'HTTP', TargetType: 'ip' },
    },
    Listener: {
      Type: 'AWS::ElasticLoadBalancingV2::Listener',
      Properties: {
        LoadBalancerArn: { Ref: 'Balancer' },
        Port: 80,
        Protocol: 'HTTP',
        DefaultActions: [{ Type: 'forward', TargetGroupArn: { Ref: 'Targets' } }],
      },
    },
  };
  const container = { Name: 'api', Image: 'api', Essential: true, PortMappings: [{ ContainerPort: 3000 }] };
  const tasksOf = {
    Cluster: { Type: 'AWS::ECS::Cluster', Properties: {} },
    Tasks: {
      Type: 'AWS::ECS::TaskDefinition',
      Properties: { Family: 'api', Cpu: '512', Memory: '1024', ContainerDefinitions: [container] },
    },
    Service: {
      Type: 'AWS::ECS::Service',
      ...(dependsOn.length === 0 ? {} : { DependsOn: dependsOn }),
      Properties: {
        Cluster: { Ref: 'Cluster' },
        TaskDefinition: { Ref: 'Tasks' },
        LaunchType: 'FARGATE',
        DesiredCount: tasks,
        LoadBalancers: [{ ContainerName: 'api', ContainerPort: 3000, TargetGroupArn: { Ref: 'Targets' } }],
      },
    },
  };
  return { Resources: { ...network, ...tasksOf }, Outputs: {} };
}

async function create(name: string, template: Template): Promise<string> {
  await account.cloudFormation.send(
    new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify(template) }),
  );
  return settled(name);
}

async function update(name: string, template: Template): Promise<string> {
  await account.cloudFormation.send(
    new UpdateStackCommand({ StackName: name, TemplateBody: JSON.stringify(template) }),
  );
  return settled(name);
}

/** Deletes a stack and says how that ended. */
async function remove(name: string): Promise<string> {
  const { StackId } = await stackOf(name);
  await account.cloudFormation.send(new DeleteStackCommand({ StackName: name }));
  return settled(String(StackId));
}

async function settled(name: string): Promise<string> {
  for (;;) {
    const { StackStatus = 'none' } = await stackOf(name);
    if (!StackStatus.endsWith('IN_PROGRESS')) return StackStatus;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function stackOf(name: string) {
  const { Stacks } = await account.cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
  if (Stacks?.[0] === undefined) throw new Error(`there is no stack ${name}`);
  return Stacks[0];
}

async function physicalId(name: string, logical: string): Promise<string> {
  const found = await account.cloudFormation.send(new DescribeStackResourcesCommand({ StackName: name }));
  return String(found.StackResources?.find((item) => item.LogicalResourceId === logical)?.PhysicalResourceId);
}

async function resources(name: string): Promise<(string | undefined)[]> {
  const found = await account.cloudFormation.send(new DescribeStackResourcesCommand({ StackName: name }));
  return (found.StackResources ?? []).map(({ LogicalResourceId }) => LogicalResourceId);
}

/** What the events of a stack say of failures. */
async function reasons(name: string): Promise<string[]> {
  const found = await account.cloudFormation.send(new DescribeStackEventsCommand({ StackName: name }));
  return (found.StackEvents ?? []).flatMap(({ ResourceStatusReason }) => ResourceStatusReason ?? []);
}

async function versions(): Promise<(string | undefined)[]> {
  const { DBInstances } = await account.rds.send(new DescribeDBInstancesCommand({}));
  return (DBInstances ?? []).map(({ EngineVersion }) => EngineVersion);
}
