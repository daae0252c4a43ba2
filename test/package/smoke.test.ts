import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openApi } from '../../operations/checklists/call-api.ts';
import { keyOf, readArguments } from '../../operations/checklists/read-arguments.ts';
import { runChecks } from '../../operations/checklists/run-checks.ts';
import { systemTime } from '../../operations/checklists/time.ts';
import { BadInput } from '../../operations/cost/bad-input.ts';
import { serviceChecks } from '../../operations/smoke/check-service.ts';
import { couponChecks } from '../../operations/smoke/use-coupon.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

const program = join(resolve(import.meta.dirname, '../..'), 'operations/smoke/smoke-command.ts');
const adminKey = testSecrets.QURABLE_ADMIN_KEY!;
/** What stands in a broken answer's place. */
interface Break {
  path: RegExp;
  method?: string;
  status?: number;
  body?: object;
}

let database: TestDatabase;
let api: ApiProcess;
beforeAll(async () => {
  database = await createTestDatabase('smoke');
  api = await startApiProcess(database.url);
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

interface Run {
  status: number;
  stdout: string;
  stderr: string;
}

function smoke(args: string[], key: string | null = adminKey): Promise<Run> {
  const env = { ...bareEnvironment(), ...(key === null ? {} : { QURABLE_ADMIN_KEY: key }) };
  return new Promise((done) => {
    execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) => {
      done({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Lets everything through to the real API but some requests, which it answers in its place. */
function breaking({ path, method, status = 200, body = {} }: Break): typeof fetch {
  return (input, init) => {
    const isBroken = path.test(new URL(String(input)).pathname) && (method ?? init?.method) === init?.method;
    return isBroken ? Promise.resolve(Response.json(body, { status })) : fetch(input, init);
  };
}

/** The lines that the checks print, without a process around them; nobody waits for what is broken. */
async function check(address: string, fetchOf: typeof fetch = fetch): Promise<string> {
  const lines: string[] = [];
  const checked = openApi({ address, key: adminKey, fetch: fetchOf, makeIdempotencyKey: randomUUID });
  const checks = [...serviceChecks(checked, systemTime, 0), ...couponChecks(checked, 'smoke test of a broken API')];
  const isAllYes = await runChecks(checks, (line) => lines.push(line));
  expect(isAllYes).toBe(!lines.some((line) => line.startsWith('no ')));
  return lines.join('\n');
}

async function books(): Promise<{ name: string; status: string; counts: Record<string, number> }[]> {
  const answer = await fetch(`${api.address}/v1/books`, { headers: { authorization: `Bearer ${adminKey}` } });
  return ((await answer.json()) as { data: Awaited<ReturnType<typeof books>> }).data;
}

describe('npm run smoke', () => {
  test('says yes to each thing that an API is for, and leaves its book closed and its codes void', async () => {
    const { status, stdout, stderr } = await smoke(['--url', api.address]);
    expect([status, stderr]).toEqual([0, '']);
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => /^ok {7}(.{12})/.exec(line)?.[1]?.trim());
    expect(names).toEqual([
      ...['health', 'ready', 'locked door', 'contract'],
      ...['create', 'generate', 'assign', 'lock', 'redeem', 'reverse', 'validate', 'clean up'],
    ]);
    const left = await books();
    expect(left).toEqual([expect.objectContaining({ name: expect.stringMatching(/^smoke test /), status: 'closed' })]);
    expect(left[0]!.counts).toMatchObject({ available: 0, voided: 9 });
    expect(stdout + stderr).not.toMatch(/SMOKE-\w/);
  });

  test.each<[string, Break, RegExp]>([
    ['health', { path: /^\/health$/, status: 500 }, /\/health answers 500, not 200/],
    ['ready', { path: /^\/ready$/, status: 503, body: { kind: 'unavailable' } }, /\/ready answers 503 unavailable/],
    ['locked door', { path: /^\/v1\/books$/, method: 'GET' }, /\/v1\/books answers 200, not 401/],
    ['contract', { path: /^\/openapi/ }, /\/openapi.json answers 200 without a version/],
    [
      'create',
      { path: /^\/v1\/books$/, method: 'POST', status: 503, body: { kind: 'unavailable' } },
      /503 unavailable/,
    ],
    ['generate', { path: /generate$/, status: 500, body: { kind: 'internal' } }, /answers 500 internal/],
    ['assign', { path: /coupons\/assign$/ }, /the answer has no code/],
    ['lock', { path: /\/lock$/ }, /the answer has no lockToken/],
    ['redeem', { path: /\/redeem$/, body: { status: 'assigned' } }, /says assigned, not redeemed/],
    ['reverse', { path: /\/reverse$/, body: { status: 'redeemed' } }, /says redeemed, not assigned/],
    [
      'validate',
      { path: /\/validate$/, body: { redeemable: false, reason: 'code-locked' } },
      /not redeemable: code-locked/,
    ],
    ['clean up', { path: /\/void$/, status: 500, body: { kind: 'internal' } }, /codes: answers 500 internal/],
    [
      'clean up',
      { path: /^\/v1\/books\/./, method: 'PATCH', status: 412 },
      /set the book [0-9a-f-]{36} to closed by hand/,
    ],
  ])('says no to %s alone where %j, and closes what it has opened', async (name, broken, reason) => {
    const printed = await check(api.address, breaking(broken));
    const wrong = printed.split('\n').filter((line) => line.startsWith('no '));
    expect(wrong).toEqual([expect.stringMatching(reason)]);
    expect(wrong[0]!.slice(9, 21).trim()).toBe(name);
    if (broken.method === 'PATCH') return;
    for (const { status: state } of await books()) expect(state).toBe('closed');
  });

  test('says why what could not follow was skipped', async () => {
    const printed = await check(api.address, breaking({ path: /\/lock$/, status: 503 }));
    expect(printed.match(/^skipped .*lock came to nothing$/gm)).toHaveLength(3);
  });

  test('tells a key that is not taken, and where nobody answers, and never shows the key', async () => {
    const wrong = `qk_${'x'.repeat(40)}`;
    const refused = await smoke(['--url', api.address], wrong);
    expect(refused).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('401 unauthenticated: QURABLE_ADMIN_KEY'),
    });
    const away = await check('http://127.0.0.1:9');
    expect(away).toContain('http://127.0.0.1:9 gives no answer');
    expect(JSON.stringify([refused, away])).not.toMatch(/x{20}/);
    expect(JSON.stringify([refused, away])).not.toContain(adminKey);
  });

  /** Each comes from another part of the program; readArguments and keyOf are called without a process below. */
  test.each([
    [[], adminKey, 'npm run smoke -- --stage dev, or --url'],
    [['--stage', 'production'], adminKey, '--stage production: resources/stages.yml has dev and prod'],
    [['--url', 'http://127.0.0.1:9', '--patience', 'long'], adminKey, '--patience long: it must be a whole number'],
    [['--url', 'http://127.0.0.1:9'], null, 'QURABLE_ADMIN_KEY is not set'],
  ])('refuses what it can’t use in one line, and ends with 2: %j', async (args, key, reason) => {
    const { status, stdout, stderr } = await smoke(args, key);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test.each([
    [['--url', 'ftp://x'], adminKey, '--url must be http:// or https://'],
    [['--url', 'http://user:hunter2@x'], adminKey, '--url must be http:// or https://'],
    [['--url', 'http://127.0.0.1:9', '--region', 'moon'], adminKey, '--region moon: it must be a region'],
    [['--url', 'http://127.0.0.1:9', '--fast'], adminKey, 'npm run smoke -- --help'],
    [['--url', 'http://127.0.0.1:9'], 'qk_hunter2\nx', 'QURABLE_ADMIN_KEY has a space, a line break'],
  ])('says in one line, without a password, what is wrong with %j', (args, key, reason) => {
    const read = () => [readArguments('smoke', args, {}), keyOf({ QURABLE_ADMIN_KEY: key })];
    expect(read).toThrow(BadInput);
    expect(read).toThrow(reason);
    expect(read).not.toThrow(/hunter2|\n/);
  });
});
