import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buildApp } from '../../../containers/api/app.ts';
import { openLog } from '../../../containers/api/observe/log.ts';
import { openMetrics } from '../../../containers/api/observe/metrics.ts';
import { type Core, closeCore, openCore, silentLog, startBackground } from '../../../core/index.ts';
import { testConfig, testSecrets } from '../../support/open-test-core.ts';
import { createTestDatabase, type TestDatabase } from '../../support/start-postgres.ts';
import { findChromium } from './find-chromium.ts';
import type { Look } from './looks.ts';
import { type OpenWindow, type Window, windowsOf } from './open-window.ts';

/** An API over a database of its own, on a port, and a browser before it. */
export interface TestConsole {
  /** Such as `http://127.0.0.1:41234`. */
  address: string;
  core: Core;
  database: TestDatabase;
  browser: Browser;
  /** Calls the API with the root key, or another one, for what a test needs to be there. */
  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown, key?: string): Promise<T>;
  /** Opens a window in which nobody is signed in. */
  open: OpenWindow;
  /** Opens a window in which the holder of a key is signed in, or goes on; the root key unless given. */
  openSignedIn(look?: Partial<Look>, key?: string): Promise<Window>;
  close(): Promise<void>;
}

/** The tests' root key. */
export const rootKey = testSecrets.QURABLE_ADMIN_KEY;

/** A browser starts within a second or two, and much later on a machine that has other things to do. */
const browserStartMillis = 180_000;

/** No page lives long enough to win back what it takes to compile its scripts a second and a third time, for speed. */
const withoutOptimizer = ['--js-flags=--no-opt --no-maglev'];

/** Starts the API on a free port with the console as it is in the sources, and a browser. */
export async function startConsole(name: string, more: Record<string, string> = {}): Promise<TestConsole> {
  const database = await createTestDatabase(name);
  const core = await openCore(testConfig(database.url, more), { log: silentLog });
  const background = startBackground(core);
  const { log } = openLog('silent');
  const metrics = openMetrics({ queueAgeMillis: () => core.batches.queueAgeMillis() });
  const app = await buildApp(core, { log, metrics, health: { droppedLogLines: () => 0, background } });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const browser = await chromium.launch({
    executablePath: findChromium()!,
    args: ['--no-sandbox', '--disable-gpu', ...withoutOptimizer],
    timeout: browserStartMillis,
  });
  const open = windowsOf(browser, address, (page, key) => signIn(page, address, key));
  return {
    address,
    core,
    database,
    browser,
    call: (method, path, body, key = rootKey) => callApi(address, key, method, path, body),
    open,
    openSignedIn: (look = {}, key = rootKey) => open(look, key),
    close: async () => {
      await browser.close();
      await app.close();
      await background.close();
      await closeCore(core);
      await database.drop();
    },
  };
}

/** As a client does it: what the server is too busy for is sent again, under the same key. */
async function callApi<T>(address: string, key: string, method: string, path: string, body: unknown): Promise<T> {
  const request = {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      'idempotency-key': crypto.randomUUID(),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  // A machine that stands still for a while loses connections as well.
  const send = () => fetch(address + path, request).catch(() => null);
  let response = await send();
  for (let repeat = 0; (response === null || response.status === 503) && repeat < 20; repeat += 1) {
    await response?.text();
    await sleep(1_000);
    response = await send();
  }
  if (response === null) throw new Error(`${method} ${path}: no connection`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? null : JSON.parse(text)) as T;
}

/** As the form does it; one test signs in by the form. @returns the session, as the cookie has it */
async function signIn(page: Page, address: string, key: string): Promise<string> {
  const answer = await page.request.post(`${address}/console/session`, {
    headers: { 'sec-fetch-site': 'same-origin', origin: address },
    data: { key },
  });
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
  const [cookie] = await page.context().cookies();
  return cookie!.value;
}
