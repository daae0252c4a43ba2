import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { findFreePort } from '../../containers/local/machine/find-free-port.ts';
import { assignCoupon, createBook, createWebhook, generateCodes, rotateWebhookSecret } from '../../core/index.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { deliver } from '../support/deliver-webhooks.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

const program = join(resolve(import.meta.dirname, '../..'), 'examples/webhook-receiver.ts');

/** The example in a process of its own, and what it printed: a line for each message that it took. */
interface Example {
  port: number;
  lines: string[];
  /** Ends it. After that `lines` has all that it printed. May be called twice. */
  stop(): Promise<void>;
}

/** A request to the example, and what it answered. */
interface Passed {
  headers: Record<string, string>;
  body: string;
  status: number;
}

let testCore: TestCore;
let bookId: string;
let webhookId: string;
let secret: string;
let example: Example;
/** The webhook's address: it passes everything on to the example, and remembers it. */
let between: Server;
let passed: Passed[];

beforeAll(async () => {
  testCore = await openTestCore('webhook_example', {}, { WEBHOOK_ALLOW_LOOPBACK: 'true' });
  const { core } = testCore;
  bookId = (await createBook(core, admin, { name: 'Example', status: 'active' }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 1_000, pattern: 'EXMP-########' }, null);
  between = createServer(async (request, response) => {
    const [headers, body] = [webhookHeaders(request.headers), await text(request)];
    const status = await send(headers, body);
    passed.push({ headers, body, status });
    response.writeHead(status).end();
  });
  await new Promise<void>((listening) => between.listen(0, '127.0.0.1', listening));
});
afterAll(async () => {
  between.closeAllConnections();
  await new Promise((closed) => between.close(closed));
  await testCore.close();
});

beforeEach(async () => {
  const url = `http://127.0.0.1:${(between.address() as AddressInfo).port}/`;
  const { body } = await createWebhook(testCore.core, admin, { url, events: ['coupon.assigned'] }, null);
  [webhookId, secret, passed] = [body.id, body.secret!, []];
  example = await startExample(secret);
});
afterEach(async () => {
  await example.stop();
  await testCore.core.pool.query('truncate webhooks, webhook_secrets, webhook_replays, webhook_deliveries');
});

async function startExample(SECRET: string): Promise<Example> {
  const port = await findFreePort();
  const child: ChildProcess = spawn(process.execPath, [program], {
    env: { ...bareEnvironment(), SECRET, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  const ended = once(child, 'close');
  await untilListening(child);
  return {
    port,
    lines,
    async stop() {
      kill();
      await ended;
      process.off('exit', kill);
    },
  };
}

/** Rejects with what it printed where it ends before it listens. */
async function untilListening({ stderr }: ChildProcess): Promise<void> {
  let said = '';
  for await (const data of stderr!.iterator({ destroyOnReturn: false })) {
    said += String(data);
    if (said.includes('Waiting for webhooks')) return;
  }
  throw new Error(`the example ended: ${said}`);
}

/** What the example has printed once it is so many lines: an answer may be here before the line that it printed. */
async function printed(lines: number): Promise<string[]> {
  while (example.lines.length < lines) await sleep(5);
  return example.lines;
}

function webhookHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('webhook-'))) as never;
}

async function send(headers: Record<string, string>, body: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${example.port}/`, { method: 'POST', headers, body })).status;
}

/** Has the product tell of an assignment, once. */
async function tell(userId: string): Promise<Passed> {
  await assignCoupon(testCore.core, admin, { bookId, userId });
  await deliver(testCore.core);
  return passed.at(-1)!;
}

test('the example takes what the product sends, and shows it', async () => {
  const { status, body } = await tell('ana');
  expect([status, passed.length]).toEqual([204, 1]);
  expect(await printed(1)).toEqual([body]);
  expect(JSON.parse(example.lines[0]!)).toMatchObject({ type: 'coupon.assigned', data: { userId: 'ana' } });
});

test('the example refuses a wrong signature, a changed body or id, an old or a future timestamp, and what is too long', async () => {
  const { headers, body } = await tell('bob');
  const changed = body.replace('"bob"', '"eve"');
  expect(changed).not.toBe(body);
  const signed = (secondsAgo: number, by = secret) => {
    const at = new Date(Date.now() - 1_000 * secondsAgo);
    const signature = new Webhook(by).sign('evt_forged', at, body);
    const timestamp = String(Math.floor(at.getTime() / 1_000));
    return { 'webhook-id': 'evt_forged', 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  };
  const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const { 'webhook-signature': signature, ...unsigned } = headers as { 'webhook-signature': string };
  const answers = {
    'a changed body': await send(headers, changed),
    'a byte more': await send(headers, `${body}\n`),
    'another id': await send({ ...headers, 'webhook-id': 'evt_other' }, body),
    'another time': await send({ ...headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) + 7) }, body),
    'another secret': await send(signed(0, other), body),
    'no signature': await send(unsigned, body),
    'another version': await send({ ...unsigned, 'webhook-signature': signature.replace('v1,', 'v2,') }, body),
    'ten minutes ago': await send(signed(600), body),
    'in ten minutes': await send(signed(-600), body),
    'too long': await send(headers, ' '.repeat(200_000)),
  };
  expect(Object.values(answers)).toEqual([...Array(9).fill(401), 413]);
  // What was refused for its time alone is genuine otherwise.
  expect(await send(signed(60), body)).toBe(204);
  // What was taken at first and at last, and nothing between.
  await example.stop();
  expect(example.lines).toEqual([body, body]);
});

test('the example takes what is repeated, and does nothing twice', async () => {
  const { headers, body } = await tell('cleo');
  expect(await send(headers, body)).toBe(204);
  // The product itself repeats what it has no answer to: under another time and signature, and the same id.
  await testCore.core.pool.query(
    `update webhook_deliveries set status = 'pending', next_at = clock_timestamp() where status = 'delivered'`,
  );
  await deliver(testCore.core);
  expect(passed.map(({ status }) => status)).toEqual([204, 204]);
  expect(passed[1]!.headers['webhook-id']).toBe(passed[0]!.headers['webhook-id']);
  await example.stop();
  expect(example.lines).toHaveLength(1);
});

test('after a rotation the example takes messages with the former secret, and after a start with the new one', async () => {
  const { body } = await rotateWebhookSecret(testCore.core, admin, webhookId, null);
  expect((await tell('dora')).status).toBe(204);
  await example.stop();
  example = await startExample(body.secret!);
  expect((await tell('emil')).status).toBe(204);
  await testCore.core.pool.query(`update webhook_secrets set signs_until = signs_until - interval '24 hours'`);
  expect((await tell('fina')).status).toBe(204);
  await example.stop();
  expect(example.lines).toHaveLength(2);
});
