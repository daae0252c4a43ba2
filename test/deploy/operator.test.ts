import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { GetSecretValueCommand, ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isOnPath } from '../support/is-on-path.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { canEmulate } from './emulator/start-emulator.ts';
import { openTrial, type Trial } from './support/open-trial.ts';
import { pushImage } from './support/push-image.ts';
import { runScript } from './support/run-script.ts';
import { runServerless } from './support/run-serverless.ts';

const longMillis = 2_400_000;
const stack = 'qurable-dev';
const hasCli = isOnPath('aws');
/** It deploys, and walks through each of an operator's commands: minutes that only the long run has. */
const isLong = process.env.QURABLE_TEST_LONG === '1';
const describeOrSkip = isLong
  ? requireOrSkip('python3 with moto[server], and the aws CLI', canEmulate() && hasCli)
  : describe.skip;
const rootKey = 'qk_the-root-key-of-an-operator-s-test';

/** A line of marks, as a task writes it. */
type MarkLine = { msg: string; decks: [number, number, number][] };

describeOrSkip('an operator, by one command in an emulated account', () => {
  let trial: Trial;
  let emulator: Trial['emulator'];
  let account: Trial['account'];
  let project: Trial['project'];
  let bookId = '';
  let marks: MarkLine[] = [];

  beforeAll(async () => {
    trial = await openTrial('empty');
    ({ emulator, account, project } = trial);
    await deploy();
    marks = await withApi(1, async (api) => {
      bookId = String((await call(api, 'POST', '/v1/books', { name: 'of an operator', status: 'active' })).id);
      await call(api, 'POST', `/v1/books/${bookId}/codes/generate`, { count: 100, pattern: 'OPS-####-####-####' });
      await assign(api);
    });
  }, longMillis);

  afterAll(async () => {
    await trial?.close();
  }, longMillis);

  async function deploy(...parameters: string[]): Promise<void> {
    await pushImage(account, project.directory);
    // Closed but for a network in which this machine is not.
    const given = ['clientCidr=203.0.113.0/24', ...parameters].map((parameter) => `--param=${parameter}`);
    const run = await runServerless(project.directory, ['deploy', '--stage', 'dev', ...given], emulator.url);
    if (!run.ok) throw new Error(run.output);
  }

  const operate = (...args: string[]) =>
    runScript(project.directory, emulator.url, 'operate.sh', ['dev', ...args], { PAUSE: '0.2' });

  async function output(name: string): Promise<string> {
    const { Stacks } = await account.cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
    return Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue ?? '';
  }

  async function secret(id: string, VersionStage = 'AWSCURRENT'): Promise<string> {
    const { SecretString } = await account.secrets.send(new GetSecretValueCommand({ SecretId: id, VersionStage }));
    return SecretString ?? '';
  }

  /** The address of the stack's database, for the login that its tasks have. */
  async function databaseUrl(): Promise<string> {
    const { SecretList } = await account.secrets.send(new ListSecretsCommand({}));
    const found = SecretList?.find(({ Name }) => Name?.includes('-DatabaseSecret-'))?.ARN ?? '';
    const login = JSON.parse(await secret(found)) as { username: string; password: string };
    const url = new URL(trial.postgres.superuserUrl);
    return Object.assign(url, { pathname: '/qurable', ...login }).href;
  }

  /** Runs an API with a version of the stack's code secret on the stack's database. Returns the marks that it wrote. */
  async function withApi(version: number, work: (api: ApiProcess) => Promise<void>): Promise<MarkLine[]> {
    const label = version === 1 ? 'AWSCURRENT' : `code-secret-${version}`;
    const api = await startApiProcess(await databaseUrl(), {
      CODE_SECRET: await secret(await output('CodeSecretArn'), label),
      CODE_SECRET_VERSION: String(version),
      QURABLE_ADMIN_KEY: rootKey,
    });
    const written: MarkLine[] = [];
    createInterface({ input: api.process.stdout! }).on('line', (text) => {
      if (text.includes('"deck marks"')) written.push(JSON.parse(text) as MarkLine);
    });
    try {
      await work(api);
    } finally {
      await api.stop('SIGTERM');
    }
    return written;
  }

  const assign = (api: ApiProcess) => call(api, 'POST', '/v1/coupons/assign', { bookId, userId: randomUUID() });

  async function linesOfOperators(): Promise<string[]> {
    const body = { logGroupName: await output('OperatorLogGroup') };
    const answer = await account.call('logs', { target: 'Logs_20140328.FilterLogEvents', body });
    return (answer.events as { message: string }[]).map(({ message }) => message);
  }

  test(
    'asks the database, with what was printed left in a log, and is told what can’t be done',
    async () => {
      const row = '{"name":"of an operator","status":"active"}';
      expect(await operate('sql', 'select name, status from books')).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(row),
      });
      expect(await linesOfOperators()).toContain(row);
      expect(await operate('sql', "update books set name = 'renamed'")).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('cannot execute UPDATE in a read-only transaction'),
      });
      expect(await operate('drop')).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(
          'sql, after-restore, export-events, verify-events, import-events, reconcile or rewrap-pattern-keys, not drop',
        ),
      });
      expect(await operate('after-restore', '--since', 'yesterday')).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('--since: no time: yesterday'),
      });
    },
    longMillis,
  );

  test(
    'comes in with one command where only some addresses may, and the door is closed after it',
    async () => {
      const letIn = (...args: string[]) =>
        runScript(project.directory, emulator.url, 'let-in.sh', ['dev', ...args], { OWN_ADDRESS: '198.51.100.7' });
      const look = [
        'aws',
        'ec2',
        'describe-security-groups',
        '--query',
        'SecurityGroups[].IpPermissions[].IpRanges[].CidrIp',
      ];
      expect(await letIn(...look)).toMatchObject({ status: 0, stdout: expect.stringContaining('198.51.100.7/32') });
      expect(await letIn('sh', '-c', 'exit 3')).toMatchObject({ status: 3 });
      const after = await runScript(project.directory, emulator.url, 'let-in.sh', ['dev', ...look], {
        OWN_ADDRESS: '192.0.2.1',
      });
      expect(after.stdout).not.toContain('198.51.100.7');
    },
    longMillis,
  );

  test(
    'takes a snapshot and waits until it can be restored',
    async () => {
      // Version 1 of the CLI asks RDS at its real address unless told the endpoint as an argument.
      const cli = spawnSync('sh', ['-c', 'command -v aws'], { encoding: 'utf8' }).stdout.trim();
      const folder = mkdtempSync(join(project.directory, 'cli-'));
      writeFileSync(join(folder, 'aws'), `#!/bin/sh\nexec ${cli} --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n`, {
        mode: 0o755,
      });
      const environment = { PATH: [folder, dirname(process.execPath), process.env.PATH].join(':') };
      const args = ['dev', 'first-1'];
      expect(await runScript(project.directory, emulator.url, 'take-snapshot.sh', args, environment)).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/qurable-dev-deploy-\d{8}-\S+ can be restored/),
      });
    },
    longMillis,
  );

  test(
    'moves decks on by the marks of the API’s log since a moment, or by a file’s',
    async () => {
      const last = marks.findLast(({ decks }) => decks?.length > 0)!;
      // Five codes that were dealt after the backup, which the database does not know of.
      const decks = last.decks.map(([tenant, deck, next]) => [tenant, deck, next + 5]);
      const line = JSON.stringify({ ...last, decks });
      const logGroupName = '/ecs/qurable-dev-api';
      const place = { logGroupName, logStreamName: 'api/qurable-api/1' };
      await account.call('logs', { target: 'Logs_20140328.CreateLogStream', body: place });
      const now = Date.now();
      const logEvents = [
        { timestamp: now - 3_600_000, message: JSON.stringify({ ...last, decks: [] }) },
        { timestamp: now - 60_000, message: '{"level":"info","msg":"listening"}' },
        { timestamp: now - 60_000, message: line },
      ];
      await account.call('logs', { target: 'Logs_20140328.PutLogEvents', body: { ...place, logEvents } });

      const since = new Date(now - 600_000).toISOString();
      const tried = await operate('after-restore', '--since', since);
      expect(tried).toMatchObject({ status: 0, stdout: expect.stringContaining(`1 lines of marks since ${since}`) });
      expect(tried.stdout).toContain('Nothing was changed: this was a dry run.');
      expect(tried.stdout).toContain(`book ${bookId}: active, would be paused`);
      // Its signature would open the file to whoever reads the log.
      expect(tried.stdout).not.toContain('X-Amz');

      const file = join(project.directory, 'api.log');
      writeFileSync(file, `${line}\n`);
      const applied = await operate('after-restore', '--marks', file, '--apply');
      expect(applied).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`book ${bookId}: active, is paused now`),
      });
      expect(applied.stdout).toMatch(new RegExp(`to ${decks[0]![2]} of 100: [1-9]\\d* codes voided`));
      expect((await operate('after-restore', '--resume')).stdout).toContain(`active again: book ${bookId}`);
    },
    longMillis,
  );

  test(
    'changes the code secret, and keys that were changed stay changed whatever is deployed later',
    async () => {
      const first = await secret(await output('CodeSecretArn'));
      const rewrapped = await operate('rewrap-pattern-keys');
      expect(rewrapped).toMatchObject({ status: 0, stdout: expect.stringContaining('wrapped 1 keys anew') });
      expect(rewrapped.stdout).toContain('now deploy with codeSecretVersion 2');
      // Repeated, it neither makes another secret nor wraps anything.
      expect((await operate('rewrap-pattern-keys')).stdout).toMatch(/code-secret-2 is there[\s\S]*wrapped 0 keys/);
      expect(await secret(await output('CodeSecretArn'))).toBe(first);

      const leaked = await secret(await output('AdminKeySecretArn'));
      const changed = ['codeSecretVersion=2', 'adminKeyVersion=2'];
      await deploy(...changed);
      const key = await secret(await output('AdminKeySecretArn'));
      expect(key).toMatch(/^qk_[A-Za-z0-9]{48}$/);
      expect(key).not.toBe(leaked);
      const api = await account.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: `${stack}-api` }));
      const { secrets = [] } = api.taskDefinition?.containerDefinitions?.[0] ?? {};
      const given = Object.fromEntries(secrets.map(({ name, valueFrom }) => [name, valueFrom]));
      expect(given.CODE_SECRET).toBe(`${await output('CodeSecretArn')}::code-secret-2:`);
      expect(given.QURABLE_ADMIN_KEY).toBe(await output('AdminKeySecretArn'));
      await withApi(2, async (api) => {
        expect(await assign(api)).toMatchObject({ code: expect.stringMatching(/^OPS-/) });
      });

      // Another change of the resource, which sends its value again.
      const path = 'resources/versioned-secrets.cjs';
      const text = readFileSync(join(project.directory, path), 'utf8');
      project.write(path, text.replace('the bootstrap admin key`', 'the first admin key`'));
      await deploy(...changed);
      expect(await secret(await output('AdminKeySecretArn'))).toBe(key);
      // Going back to the first version's template makes a value of its own: the leaked one is gone for good.
      await deploy('codeSecretVersion=2', 'adminKeyVersion=1');
      expect([leaked, key]).not.toContain(await secret(await output('AdminKeySecretArn')));
    },
    longMillis,
  );
});

async function call(api: ApiProcess, method: string, path: string, body: object): Promise<Record<string, unknown>> {
  const headers = {
    authorization: `Bearer ${rootKey}`,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  };
  const answer = await fetch(api.address + path, { method, headers, body: JSON.stringify(body) });
  const content = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(content)}`);
  return content;
}
