import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { ApiClient } from '../support/api-client.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { ofType, packageStage, packagingMillis, trialOfProd } from './packaged-template.ts';
import { type Command, recordCommands } from './record-commands.ts';

const project = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(project, path), 'utf8');
const pages = readdirSync(join(project, 'docs/runbooks'))
  .filter((file) => file !== 'README.md')
  .map((file) => file.slice(0, -3))
  .sort();
/** What .github/scripts/operate.sh runs. */
const ofEvents = ['export-events', 'verify-events', 'import-events', 'reconcile'];
const operatorCommands = ['sql', 'after-restore', 'rewrap-pattern-keys', ...ofEvents];
const list = read('docs/runbooks/README.md');
/** What stands in the list's two tables: alarms, and things that happen without one. */
const [listedAlarms, topics] = list
  .split('\n| what happened |')
  .map((table) => [...table.matchAll(/^\| \[([a-z0-9-]+)\]\(\1\.md\) \|/gm)].map(([, name]) => name!)) as [
  string[],
  string[],
];

/** Names that a page asks its reader to give a value to. */
const asked = ['API', 'KEY', 'BOOK', 'DECK', 'TASK', 'SNAPSHOT'];
const isTold = /^(aws|npm|npx|\.github\/scripts\/|sql|log_lines|alarm|curl)\b/;

/** A page's commands as its reader gives them: its blocks in their order, then what stands within sentences. */
function commandsOf(text: string): string {
  const blocks = [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, block]) => block!);
  const prose = text.replace(/^ *```sh\n[\s\S]*?^ *```$/gm, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => span!).filter((span) => isTold.test(`${span} `));
  return [...blocks, ...spans.filter((span) => span.includes(' '))].join('\n');
}

function recordPage(path: string) {
  const before = ['. .github/scripts/on-call.sh prod', ...asked.map((name) => `${name}=given`)];
  return recordCommands([...before, commandsOf(read(path))].join('\n'));
}

const paths = [...pages.map((page) => `docs/runbooks/${page}.md`), 'docs/runbooks/README.md', 'docs/operations.md'];
let recorded: Map<string, ReturnType<typeof recordPage>>;
beforeAll(() => {
  recorded = new Map(paths.map((path) => [path, recordPage(path)]));
});
const everyCommand = (): Command[] => [...recorded.values()].flatMap(({ commands }) => commands);

describe.each(['dev', 'prod'])('the alarms of %s', (stage) => {
  test(
    'have a page each, which the alarm names',
    async () => {
      const { template } = await packageStage(stage, stage === 'prod' ? trialOfProd : {});
      const alarms = ofType(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
      const names = alarms.map(({ AlarmName }) => String(AlarmName).replace(`qurable-${stage}-`, ''));
      expect(pages).toEqual(expect.arrayContaining(names));
      for (const [index, { AlarmDescription }] of alarms.entries()) {
        expect(AlarmDescription).toMatch(new RegExp(`What to do: docs/runbooks/${names[index]}\\.md$`));
        // CloudWatch takes no more.
        expect(String(AlarmDescription).length).toBeLessThanOrEqual(1024);
      }
      // Prod has every alarm that there is.
      if (stage === 'prod') expect(names.toSorted()).toEqual(listedAlarms.toSorted());
    },
    packagingMillis,
  );
});

test('a page is of an alarm or of a listed topic, and of one of them', () => {
  expect(pages).toEqual([...listedAlarms, ...topics].sort());
});

test.each(pages)('%s says what it means, how to see, what to do and when it is over, on one page', (page) => {
  const text = read(`docs/runbooks/${page}.md`);
  const heads = [...text.matchAll(/^## (.+)$/gm)].map(([, head]) => head);
  expect(heads).toEqual(['What it means', 'See', 'Do', 'Over']);
  expect(text).toMatch(/^# \S/);
  if (listedAlarms.includes(page)) expect(text.startsWith(`# ${page}: `)).toBe(true);
  const lines = text.split('\n');
  expect(lines.length).toBeLessThanOrEqual(100);
  expect(lines.filter((line) => line.length > 130)).toEqual([]);
});

describe('the commands of the runbooks', () => {
  test.each(paths)('%s: a shell runs them all, and each program and script is there', (path) => {
    const { status, stderr } = recorded.get(path)!;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test(
    'call npm’s scripts, stages, subcommands and resources that there are',
    async () => {
      const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
      const { template } = await packageStage('prod', trialOfProd);
      const resources = Object.keys(template.Resources);
      for (const [program, ...args] of everyCommand()) {
        if (program === 'npm')
          expect([args[0], scripts]).toEqual(['run', expect.objectContaining({ [args[1]!]: expect.anything() })]);
        if (program.startsWith('.github/') && !program.endsWith('push-image.sh'))
          expect([program, args[0]]).toEqual([
            program,
            'prod' === args[0] ? 'prod' : expect.stringMatching(/^(live|before)$/),
          ]);
        if (program.endsWith('operate.sh')) expect(operatorCommands).toContain(args[1]);
        const logical = args[args.indexOf('--logical-resource-id') + 1];
        if (args.includes('--logical-resource-id')) expect(resources).toContain(logical);
        const group = args[args.indexOf('--log-group-name') + 1];
        if (args.includes('--log-group-name')) {
          const groups = ofType(template, 'AWS::Logs::LogGroup').map(([, { Properties }]) => Properties.LogGroupName);
          expect(groups).toContain(group);
        }
        const output = args.join(' ').match(/OutputKey=='(\w+)'/)?.[1];
        if (output !== undefined) expect(Object.keys(template.Outputs)).toContain(output);
      }
    },
    packagingMillis,
  );
});

const hasModels = spawnSync('python3', ['-c', 'import botocore, jmespath'], { encoding: 'utf8' }).status === 0;

requireOrSkip('python3 with botocore, the service models of the aws CLI', hasModels)('an aws command', () => {
  const check = (commands: string[][]): string[] => {
    const run = spawnSync('python3', [join(import.meta.dirname, 'check-aws-commands.py')], {
      input: JSON.stringify(commands),
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout);
  };

  test('of a runbook has a service, an operation, options and a query that the CLI knows', () => {
    const commands = everyCommand()
      .filter(([program]) => program === 'aws')
      .map(([, ...args]) => args);
    const different = [...new Set(commands.map((command) => JSON.stringify(command)))].map((text) => JSON.parse(text));
    expect(different.length).toBeGreaterThan(40);
    expect(check(different)).toEqual([]);
  });

  test('that is misspelt anywhere is told', () => {
    const faults = check([
      ['rdss', 'describe-db-instances'],
      ['rds', 'describe-db-instance'],
      ['rds', 'describe-db-instances', '--instance', 'a'],
      ['rds', 'reboot-db-instance'],
      ['rds', 'wait', 'db-available'],
      ['rds', 'describe-db-instances', '--query', 'DBInstances[0].[State]'],
      ['cloudformation', 'describe-stacks', '--query', "Stacks[0].Outputs[?Key=='a'].OutputValue"],
    ]);
    expect(faults.map((fault) => fault.replace(/^aws .*?: /, ''))).toEqual([
      'there is no service rdss',
      'rds has no operation describe-db-instance',
      'DescribeDBInstances has no option --instance',
      'RebootDBInstance needs --db-instance-identifier',
      'rds has no waiter db-available',
      '--query DBInstances[0].[State] finds nothing in the answer of DescribeDBInstances',
      'the answer of DescribeStacks has no Key',
    ]);
  });
});

describe('beside a database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase('runbooks');
  });
  afterAll(() => database.drop());

  test('each statement of a runbook runs on the schema, and those that are not told --write change nothing', async () => {
    const statements = everyCommand().filter(
      ([program, , command]) => program.endsWith('operate.sh') && command === 'sql',
    );
    expect(statements.length).toBeGreaterThan(10);
    const client = new pg.Client({ connectionString: database.url, options: '-c default_transaction_read_only=on' });
    await client.connect();
    try {
      for (const args of statements) {
        // What changes something is planned and not carried out: other tests' sessions are on this server.
        const statement = `${args.includes('--write') ? 'explain ' : ''}${args.at(-1)}`;
        await client.query(statement).catch((error: Error) => {
          throw new Error(`${statement}: ${error.message}`);
        });
      }
    } finally {
      await client.end();
    }
  });

  test('the walk of a code leak voids the deck that leaked, and nothing else', async () => {
    const api = await startApiProcess(database.url);
    try {
      const client = new ApiClient([api.address]);
      const { body: book } = await client.post('/v1/books', { name: 'Leak', status: 'active' });
      const generate = (pattern: string) => client.post(`/v1/books/${book.id}/codes/generate`, { count: 100, pattern });
      await generate('LEAK-########');
      const { body: assigned } = await client.post('/v1/coupons/assign', { bookId: book.id, userId: 'ana' });
      const step = (name: string, more: Record<string, string> = {}) => {
        const block = new RegExp(`<!-- ${name} -->\\n *\`\`\`sh\\n([\\s\\S]*?) *\`\`\`\\n *<!-- /${name} -->`);
        const [, text] = block.exec(read('docs/runbooks/code-leak.md'))!;
        const env = { ...process.env, API: api.address, KEY: testSecrets.QURABLE_ADMIN_KEY, BOOK: book.id, ...more };
        return JSON.parse(spawnSync('bash', ['-euo', 'pipefail', '-c', text!], { env, encoding: 'utf8' }).stdout);
      };
      const [leaked] = step('decks').data;
      expect(step('pause')).toMatchObject({ status: 'paused' });
      await expect(client.post('/v1/coupons/assign', { bookId: book.id, userId: 'ben' })).resolves.toMatchObject({
        status: 409,
      });
      await generate('GOOD-########');
      expect(step('void', { DECK: leaked.id })).toMatchObject({
        id: leaked.id,
        pattern: 'LEAK-########',
        dealt: 1,
        voided: 99,
        voidedReason: 'The file went round',
      });
      expect(step('void', { DECK: leaked.id })).toMatchObject({ dealt: 1, voided: 99 });
      expect(step('resume')).toMatchObject({ status: 'active', counts: { available: 100 } });
      const redeemed = await client.post(`/v1/coupons/${assigned.code}/redeem`, { userId: 'ana' });
      expect(redeemed.status).toBe(200);
    } finally {
      await api.stop();
    }
  });
});
