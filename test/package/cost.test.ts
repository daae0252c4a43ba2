import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { estimateMonth } from '../../operations/cost/estimate-month.ts';
import { priceRuleOf } from '../../operations/cost/find-price-rule.ts';
import { cpuSecondsOfRequest, databaseCpuSecondsOfRequest } from '../../operations/cost/measured.ts';
import { withRegistry } from '../../operations/cost/package-stage.ts';
import { readPrices } from '../../operations/cost/read-prices.ts';
import { loadOf, scenarios } from '../../operations/cost/strategy.ts';
import { type CostTemplate, readTemplate } from '../../operations/cost/template.ts';
import { keepBundles } from '../deploy/support/run-serverless.ts';
import { optionsOfProd, type Packaged, packageStage, packagingMillis, trialOfProd } from './packaged-template.ts';

const project = resolve(import.meta.dirname, '../..');
const prices = readPrices('us-east-1');
const shared = { requestsPerConnection: 10, monthsKept: 1 };
const packaged = {} as Record<'dev' | 'prod' | 'options', Packaged>;
const templateOf = (name: keyof typeof packaged): CostTemplate => withRegistry(readTemplate(packaged[name].text, name));

let scratch: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'qurable-cost-test-'));
  packaged.dev = await packageStage('dev');
  packaged.prod = await packageStage('prod', trialOfProd);
  packaged.options = await packageStage('prod', optionsOfProd);
}, packagingMillis);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.each(['dev', 'prod', 'options'] as const)('the packaged template of %s', (name) => {
  test('has a price rule for every type of its resources', () => {
    const types = new Set(templateOf(name).resources.map(({ type }) => type));
    expect(types.size).toBeGreaterThan(40);
    expect([...types].filter((type) => priceRuleOf(type) === undefined)).toEqual([]);
  });

  test('has a rate for everything that it is charged for, under each of the strategy’s loads', () => {
    for (const scenario of scenarios) {
      const { cents, lines } = estimateMonth(templateOf(name), loadOf(scenario, shared), prices);
      expect(cents).toBeGreaterThan(0n);
      expect(lines.map(({ service }) => service)).toEqual(
        expect.arrayContaining(['Fargate', 'Database', 'Cache', 'Load balancer', 'Firewall', 'Secrets', 'Registry']),
      );
    }
  });
});

test('prod costs less than the strategy says, under each of its loads, with all that it forgot', () => {
  for (const scenario of scenarios) {
    const month = estimateMonth(templateOf('prod'), loadOf(scenario, shared), prices);
    expect(month.warnings).toEqual([]);
    expect(month.cents).toBeLessThan(scenario.cents);
  }
});

test('what a request costs is what the benchmark measured, within a factor of two', () => {
  const row = readFileSync(join(project, 'docs/performance.md'), 'utf8')
    .split('\n')
    .find((line) => line.includes('two tasks of half a processor, the day’s peak'))!;
  const cells = row.split('|').map((cell) => cell.trim());
  const measured = [cells[7], cells[8]].map((seconds) => Number(seconds) / 1000);
  const counted = [cpuSecondsOfRequest, databaseCpuSecondsOfRequest].map(
    ({ over, under }) => Number(over) / Number(under),
  );
  for (const [at, seconds] of counted.entries()) {
    expect(seconds / measured[at]!).toBeGreaterThan(0.5);
    expect(seconds / measured[at]!).toBeLessThan(2);
  }
});

describe('npm run cost', () => {
  const run = (...args: string[]) => runWith({}, ...args);
  const runWith = (environment: NodeJS.ProcessEnv, ...args: string[]) =>
    spawnSync(process.execPath, [join(project, 'operations/cost/cost-command.ts'), ...args], {
      cwd: scratch,
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    });
  const write = (name: string, text: string) => {
    writeFileSync(join(scratch, name), text);
    return name;
  };

  test('prints a template’s report, and writes its chart', () => {
    const template = write('prod.json', packaged.prod.text);
    const { status, stdout, stderr } = run(
      '--template',
      template,
      '--requests-per-day',
      '10000000',
      '--svg',
      'cost.svg',
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/In total +\$\d+/);
    expect(readFileSync(join(scratch, 'cost.svg'), 'utf8')).toMatch(/^<svg /);
  });

  test('compares two templates by the lines that a change touches', () => {
    const before = write('before.json', packaged.prod.text);
    const after = write('after.json', packaged.prod.text.replaceAll('db.t4g.medium', 'db.r6g.large'));
    const { status, stdout } = run('--template', after, '--compare', before, '--requests-per-day', '10000');
    expect(status).toBe(0);
    // 730 × (0.450 − 0.130) and 730 × (0.225 − 0.065), and 3 hours of a drill at the latter.
    expect(stdout).toMatch(/10,000 a day: .* \(\+\$350\.88\)/);
  });

  test(
    'packages a stage by itself, without an account and without a network',
    () => {
      const { status, stdout, stderr } = runWith({ NODE_OPTIONS: keepBundles }, '--stage', 'prod', '--json');
      expect([status, stderr]).toEqual([0, '']);
      const [low] = JSON.parse(stdout).scenarios;
      // With a domain, which a stage for customers has and the trial of it above has not.
      expect(low.services.Names).toBe('0.50');
    },
    packagingMillis,
  );

  test.each([
    [['--stage', 'production'], '--stage production: resources/stages.yml has dev and prod'],
    [['--stage', 'prod', '--region', 'eu-west-1', '--template', 'prod.json'], 'region eu-west-1: there are no prices'],
    [['--requests-per-day', 'many'], '--requests-per-day many: it must be a whole number'],
    [['--template', 'nowhere.json'], '--template nowhere.json: there is no such file'],
    [['--template', 'broken.json'], 'broken.json is not JSON'],
    [['--template', 'unknown.json'], 'no price rule for AWS::DynamoDB::Table (Table)'],
    [['--template', 'prod.json', '--prices', 'broken.json'], 'the price file broken.json: it is not JSON'],
    [
      ['--template', 'prod.json', '--compare', 'no-such-commit'],
      '--compare no-such-commit: it is neither a file nor a commit',
    ],
    [['--template', 'prod.json', '--svg', 'no/such/folder.svg'], '--svg no/such/folder.svg: it can’t be written'],
  ])('refuses what it can’t use in one line, and ends with 2: %j', (args, reason) => {
    write('prod.json', packaged.prod.text);
    write('broken.json', '{');
    write('unknown.json', JSON.stringify({ Resources: { Table: { Type: 'AWS::DynamoDB::Table' } } }));
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test(
    'says in one line what the packager says of a parameter',
    () => {
      const { status, stderr } = runWith({ NODE_OPTIONS: keepBundles }, '--param', 'databaseClass=large');
      expect(status).toBe(2);
      expect(stderr).toContain('databaseClass "large": it must be a class such as db.t4g.medium');
      expect(stderr.trim().split('\n')).toHaveLength(1);
    },
    packagingMillis,
  );
});
