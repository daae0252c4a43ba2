import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AskAws } from '../../operations/checklists/ask-aws.ts';
import { openApi } from '../../operations/checklists/call-api.ts';
import { judge } from '../../operations/watch/judge.ts';
import { readMetrics } from '../../operations/watch/read-metrics.ts';
import { runWatch } from '../../operations/watch/run-watch.ts';
import { watchAddress } from '../../operations/watch/watch-address.ts';
import { watchStage } from '../../operations/watch/watch-stage.ts';
import type { Watched } from '../../operations/watch/watched.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { patientProcess } from '../support/be-patient.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

const adminKey = testSecrets.QURABLE_ADMIN_KEY!;
const half = { minutes: 30, everySeconds: 60, isIdleFine: false };
const begin = Date.parse('2026-11-28T12:00:00Z');

/** A clock that moves only by waiting, and something that happens in each wait. */
function turning(happens: (round: number) => unknown = () => undefined) {
  let now = begin;
  let round = 0;
  return {
    now: () => now,
    sleep: async (millis: number) => {
      now += millis;
      if (millis > 0) await happens(round++);
    },
  };
}

const fine: Watched = {
  requests: 10_000,
  errors: 0,
  slow: { count: 0, p99: 'at most 50 ms' },
  errorLines: { count: 0, message: '' },
  databaseFailures: 0,
};
const verdicts = (watched: Partial<Watched>, left = 0) =>
  Object.fromEntries(judge({ ...fine, ...watched }, left).map(([name, { verdict }]) => [name, verdict]));
const allFine = { 'error rate': 'ok', p99: 'ok', 'error lines': 'ok', database: 'ok' };

describe('what was seen', () => {
  test('is a yes below each bound, and a no at it', () => {
    expect(verdicts({})).toEqual(allFine);
    expect(verdicts({ errors: 9 })).toEqual(allFine);
    expect(verdicts({ errors: 10 })).toEqual({ ...allFine, 'error rate': 'no' });
    expect(verdicts({ slow: { count: 100, p99: '' } })).toEqual(allFine);
    expect(verdicts({ slow: { count: 101, p99: '' } })).toEqual({ ...allFine, p99: 'no' });
    expect(verdicts({ errorLines: { count: 1, message: 'internal' } })).toEqual({ ...allFine, 'error lines': 'no' });
    expect(verdicts({ databaseFailures: 1 })).toEqual({ ...allFine, database: 'no' });
    expect(verdicts({ requests: 0 })).toMatchObject({ 'error rate': 'no' });
  });

  test('is judged early as if nothing more went wrong: what can still become a yes is no no', () => {
    // A third of the time: the rest brings twice as many requests.
    expect(verdicts({ errors: 29 }, 2)).toEqual(allFine);
    expect(verdicts({ errors: 30 }, 2)).toEqual({ ...allFine, 'error rate': 'no' });
    expect(verdicts({ slow: { count: 300, p99: '' } }, 2)).toEqual(allFine);
    expect(verdicts({ slow: { count: 301, p99: '' } }, 2)).toEqual({ ...allFine, p99: 'no' });
    expect(verdicts({ requests: 0 }, 2)).toMatchObject({ 'error rate': 'ok' });
  });

  test('of a stage is slow in three of five minutes, as its alarm is', () => {
    const [fast, slow] = [false, true];
    const of = (...slowMinutes: boolean[]) => verdicts({ slow: { slowMinutes, p99: '' } }).p99;
    expect(of(slow, slow, fast, fast, fast, slow)).toBe('ok');
    expect(of(slow, slow, fast, fast, slow)).toBe('no');
    expect(of(fast, slow, slow, slow)).toBe('no');
    expect(of()).toBe('ok');
  });
});

test('metrics are read whatever their labels hold', () => {
  const read = readMetrics('# HELP a b\na{route="/v1/x}\\"y",status="503"} 2\nb 1e3\nbroken\n');
  expect(read.get('a')).toEqual([{ labels: { route: '/v1/x}\\"y', status: '503' }, value: 2 }]);
  expect(read.get('b')).toEqual([{ labels: {}, value: 1000 }]);
});

describe('a watch of an address', () => {
  let database: TestDatabase;
  let api: ApiProcess;
  beforeAll(async () => {
    database = await createTestDatabase('watch');
    // No failure of the database but those that are made up.
    api = await startApiProcess(database.url, patientProcess);
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const lookAtBooks = () =>
    fetch(`${api.address}/v1/books`, { headers: { authorization: `Bearer ${adminKey}` } }).then((answer) =>
      answer.arrayBuffer(),
    );

  /** The API's own metrics, but each answer took 50 ms at most: this machine's pauses are not what is judged here. */
  function quick(metrics: string): string {
    const counts = new Map(
      [...metrics.matchAll(/^qurable_http_request_duration_seconds_count\{(.*)\} (\d+)$/gm)].map(
        ([, labels, count]) => [labels!, count!] as const,
      ),
    );
    return metrics.replaceAll(
      /^(qurable_http_request_duration_seconds_bucket\{le="([^"]+)",(.*)\}) \d+$/gm,
      (_line, name: string, bound: string, labels: string) =>
        `${name} ${bound === '+Inf' || Number(bound) >= 0.05 ? counts.get(labels) : 0}`,
    );
  }

  /** Watches the real API, whose metrics some rounds later read otherwise. */
  async function watched(change: (metrics: string, round: number) => string, happens: () => unknown = lookAtBooks) {
    let round = 0;
    const changed: typeof fetch = async (...args) => {
      const answer = await fetch(...args);
      return new Response(change(quick(await answer.text()), round++), { status: answer.status });
    };
    const lines: string[] = [];
    const opened = openApi({ address: api.address, key: adminKey, fetch: changed, makeIdempotencyKey: () => 'x' });
    const isFine = await runWatch(await watchAddress(opened), turning(happens), half, (line) => lines.push(line));
    return { isFine, lines, progress: lines.filter((line) => line.includes(' of 30 min ')).length };
  }
  const same = (metrics: string) => metrics;
  const from = (first: number, change: (metrics: string) => string) => (metrics: string, round: number) =>
    round < first ? metrics : change(metrics);

  test('counts its traffic for half an hour, a line a minute, and says yes', async () => {
    const { isFine, lines, progress } = await watched(same);
    expect([isFine, progress]).toEqual([true, 30]);
    expect(lines[0]).toMatch(/^12:01:00 {2}1\.0 of 30 min {2}1 requests, 0 errors, p99 at most \d+ ms$/);
    expect(lines.slice(30)).toEqual([
      'ok       error rate    0 of 30 requests ended in a 5xx (0.000 %)',
      expect.stringMatching(/^ok {7}p99 {11}p99 at most [\d.]+ ms$/),
      'skipped  error lines   an address has no log to ask; --stage has',
      'ok       database      no failure',
    ]);
  });

  test.each<[string, (metrics: string) => string, RegExp]>([
    [
      'answers end in errors',
      (text) => text.replaceAll(/status="200"/g, 'status="500"'),
      /^no +error rate +\d+ of \d+ requests ended in a 5xx/,
    ],
    [
      'answers take more than a second',
      (text) => text.replaceAll(/(_seconds_bucket\{le="1",.*\}) \d+$/gm, '$1 0'),
      /^no +p99 +.*took more than a second/,
    ],
    [
      'the database fails',
      (text) =>
        text.replace(/(failures_total\{reason="timed out"\}) (\d+)/, (_, name, n) => `${name} ${Number(n) + 7}`),
      /^no +database +7 failures/,
    ],
    ['the database is away', (text) => text.replace(/(qurable_database_up) 1/, '$1 0'), /^no +watch .*is away/],
    [
      'another process answers',
      (text) => text.replace(/(process_start_time_seconds) \d+/, '$1 1'),
      /^no +watch +another process answers/,
    ],
  ])('says no at once where %s', async (_, change, reason) => {
    const { isFine, lines, progress } = await watched(from(3, change));
    expect([isFine, progress <= 3]).toEqual([false, true]);
    expect(lines).toContainEqual(expect.stringMatching(reason));
  });

  test('says no where no request came', async () => {
    const { isFine, lines } = await watched(same, () => undefined);
    expect(isFine).toBe(false);
    expect(lines).toContainEqual(expect.stringMatching(/^no +error rate +no request was seen/));
  });

  test('outlives one lost answer, and no second one', async () => {
    const losing = (count: number) => {
      let asked = 0;
      const lossy: typeof fetch = async (...args) => {
        asked += 1;
        if (asked > 2 && asked <= 2 + count) throw new TypeError('lost');
        const answer = await fetch(...args);
        return new Response(quick(await answer.text()), { status: answer.status });
      };
      return openApi({ address: api.address, key: adminKey, fetch: lossy, makeIdempotencyKey: () => 'x' });
    };
    const lines: string[] = [];
    const run = async (count: number) =>
      runWatch(await watchAddress(losing(count)), turning(lookAtBooks), half, (line) => lines.push(line));
    expect(await run(1)).toBe(true);
    expect(await run(2)).toBe(false);
    expect(lines.at(-1)).toMatch(/^no +watch .*gives no answer/);
  });

  const command = (args: string[], key = adminKey) =>
    spawnSync(
      process.execPath,
      [join(resolve(import.meta.dirname, '../..'), 'operations/watch/watch-command.ts'), ...args],
      { encoding: 'utf8', env: { ...bareEnvironment(), QURABLE_ADMIN_KEY: key } },
    );

  test.each([
    [['--stage', 'dev', '--url', 'http://127.0.0.1:9'], '--stage or --url'],
    [['--url', 'http://127.0.0.1:9'], 'http://127.0.0.1:9 gives no answer'],
    [['--url', 'http://127.0.0.1:9', '--minutes', '0'], '--minutes 0: it must be a whole number from 1 to 1440'],
  ])('refuses what it can’t use in one line, and ends with 2: %j', (args, reason) => {
    const { status, stdout, stderr } = command(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('refuses a key that may not read metrics, without showing it', () => {
    const { status, stderr } = command(['--url', api.address], `qk_${'x'.repeat(40)}`);
    expect([status, stderr]).toEqual([2, expect.stringContaining('/metrics answers 401: QURABLE_ADMIN_KEY must be')]);
    expect(stderr).not.toMatch(/x{20}/);
  });
});

describe('a watch of a stage', () => {
  const stage = { name: 'prod', stack: 'qurable-prod', status: 'UPDATE_COMPLETE', outputs: {} };
  const minute = (index: number) => new Date(begin + index * 60_000).toISOString();
  const arn = 'arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/qurable-prod/0123456789abcdef';

  /** An account as CloudWatch tells of it: what a minute had, and what the log says. */
  function account(ofMinute: { requests: number; ofTasks: number; p99: number }, messages: string[] = []) {
    const asked: string[][] = [];
    const aws: AskAws = async (...call) => {
      asked.push(call);
      const answers: Record<string, () => Record<string, unknown>> = {
        'describe-stack-resources': () => ({ StackResources: [{ PhysicalResourceId: arn }] }),
        'filter-log-events': () => ({ events: messages.map((message) => ({ message })) }),
        'get-metric-data': () => {
          const end = Date.parse(call[call.indexOf('--end-time') + 1]!);
          const minutes = Math.min(Math.floor((end - begin) / 60_000), 30);
          const Timestamps = Array.from({ length: minutes }, (_, index) => minute(index));
          const result = (Id: string, value: number) => ({ Id, Timestamps, Values: Timestamps.map(() => value) });
          return { MetricDataResults: Object.entries(ofMinute).map(([id, value]) => result(id, value)) };
        },
      };
      return answers[call[1]]!();
    };
    return { aws, asked };
  }

  async function watchOf(of: ReturnType<typeof account>) {
    const lines: string[] = [];
    const time = turning();
    const isFine = await runWatch(await watchStage(of.aws, stage, time), time, half, (line) => lines.push(line));
    return { isFine, lines };
  }
  const calm = { requests: 1000, ofTasks: 0, p99: 0.2 };

  test('adds up what CloudWatch has of its load balancer and log, once more when the last minutes are in', async () => {
    const of = account(calm, ['{"level":"info","msg":"request"}', 'no JSON']);
    const { isFine, lines } = await watchOf(of);
    expect([isFine, lines.length]).toEqual([true, 35]);
    expect(lines[30]).toMatch(/^12:33:00 {2}30\.0 of 30 min {2}30000 requests, 0 errors, p99 200 ms/);
    expect(lines).toContain('ok       error rate    0 of 30000 requests ended in a 5xx (0.000 %)');
    const queries = of.asked.find(([, operation]) => operation === 'get-metric-data')!.join(' ');
    expect(queries).toContain('"Name":"LoadBalancer","Value":"app/qurable-prod/0123456789abcdef"');
  });

  test.each([
    ['error rate', { ...calm, ofTasks: 31 }, []],
    ['p99', { ...calm, p99: 1.2 }, []],
    ['error lines', calm, ['{"level":"error","msg":"a batch failed"}']],
  ])('says no early by its %s', async (name, ofMinute, messages) => {
    const { isFine, lines } = await watchOf(account(ofMinute, messages));
    expect([isFine, lines.length < 10]).toEqual([false, true]);
    const [wrong, ...others] = lines.filter((line) => line.startsWith('no '));
    expect([wrong?.slice(9, 21).trim(), others]).toEqual([name, []]);
  });
});
