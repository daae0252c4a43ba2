import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { jest } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { buildApp } from '../../containers/api/app.ts';
import { openLog } from '../../containers/api/observe/log.ts';
import { openMetrics } from '../../containers/api/observe/metrics.ts';
import { type Core, closeCore, openCore, silentLog, startBackground } from '../../core/index.ts';
import { testConfig, testSecrets } from '../support/open-test-core.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { findChromium } from './find-chromium.ts';

/** Where a run leaves what the pages look like, for people to look at. Nothing is compared with it. */
const screenshots = join(import.meta.dirname, 'screenshots');

/** Axe and pictures take their time, on a machine that tests other things beside them more so. */
jest.setTimeout(240_000);

const chromiumPath = findChromium();

/** `describe`, where this machine has a browser; else the tests are skipped in one loud line. */
export const describeInBrowser = requireOrSkip('Debian’s Chromium (apt-get install chromium)', chromiumPath !== null);

/** The widths at which pages are looked at: the narrowest that WCAG asks for, a laptop, and a wall. */
export const widths = [320, 1024, 2560] as const;
/** The languages of the console. */
export const languages = ['en', 'es'] as const;
/** Its colours. */
export const themes = ['light', 'dark'] as const;

/** How a browser looks at the console. */
export interface Look {
  language: (typeof languages)[number];
  theme: (typeof themes)[number];
  width: (typeof widths)[number];
}

/** A window of the console, which fails its test where the page does what it must not. */
export interface Window {
  page: Page;
  /** Goes to an address below /console, and waits until the page is there. */
  visit(path: string): Promise<void>;
  /** What the page did that it must not: to other origins, against its policy, or in its log. */
  faults(): string[];
  /** Looks for barriers with axe, and keeps a picture of the page under a name. */
  inspect(name: string): Promise<void>;
  /** Keeps a picture, and looks only whether the page is wider than the screen. */
  look(name: string): Promise<void>;
  close(): Promise<void>;
}

/** An API over a database of its own, on a port, and a browser before it. */
export interface TestConsole {
  /** Such as `http://127.0.0.1:41234`. */
  address: string;
  core: Core;
  database: TestDatabase;
  /** Calls the API with the root key, for what a test needs to be there. */
  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** Opens a window in which nobody is signed in. */
  open(look?: Partial<Look>): Promise<Window>;
  /** Opens a window in which the holder of a key is signed in; the root key unless given. */
  openSignedIn(look?: Partial<Look>, key?: string): Promise<Window>;
  close(): Promise<void>;
}

/** The tests' root key. */
export const rootKey = testSecrets.QURABLE_ADMIN_KEY;

/** Starts the API on a free port with the console as it is in the sources, and a browser. */
export async function openTestConsole(name: string, more: Record<string, string> = {}): Promise<TestConsole> {
  const database = await createTestDatabase(name);
  const core = await openCore(testConfig(database.url, more), { log: silentLog });
  const background = startBackground(core);
  const { log } = openLog('silent');
  const metrics = openMetrics({ queueAgeMillis: () => core.batches.queueAgeMillis() });
  const app = await buildApp(core, { log, metrics, health: { droppedLogLines: () => 0, background } });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox', '--disable-gpu'] });

  const open = async (look: Partial<Look> = {}) => openWindow(browser, address, look);
  return {
    address,
    core,
    database,
    call: async <T>(method: string, path: string, body?: unknown) => {
      const response = await fetch(address + path, {
        method,
        headers: {
          authorization: `Bearer ${rootKey}`,
          'idempotency-key': crypto.randomUUID(),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === '' ? null : JSON.parse(text)) as T;
    },
    open,
    openSignedIn: async (look = {}, key = rootKey) => {
      const window = await open(look);
      // As the form does it; one test signs in by the form.
      const answer = await window.page.request.post(`${address}/console/session`, {
        headers: { 'sec-fetch-site': 'same-origin', origin: address },
        data: { key },
      });
      if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
      return window;
    },
    close: async () => {
      await browser.close();
      await app.close();
      await background.close();
      await closeCore(core);
      await database.drop();
    },
  };
}

async function openWindow(browser: Browser, address: string, seen: Partial<Look>): Promise<Window> {
  const { language = 'en', theme = 'light', width = 1024 } = seen;
  const context = await browser.newContext({
    locale: language === 'en' ? 'en-GB' : 'es-AR',
    colorScheme: theme,
    timezoneId: 'Europe/Madrid',
    viewport: { width, height: width === 320 ? 640 : 900 },
    reducedMotion: 'reduce',
  });
  // A policy's violation is told to the page alone.
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`content policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  // No test's outcome hangs on how fast a shared machine is.
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const faults = watchFaults(context, page, address);
  const look = async (name: string) => {
    await settled(page);
    await keepScreenshot(page, name, { language, theme, width });
    await refuseSidewaysScroll(page, name);
  };
  return {
    page,
    visit: async (path) => {
      await page.goto(`${address}/console${path}`);
      await settled(page);
    },
    faults: () => [...faults],
    look,
    inspect: async (name) => {
      await look(name);
      const { violations } = await new AxeBuilder({ page })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
        .analyze();
      const found = violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`),
      );
      if (found.length > 0) throw new Error(`${name}: ${found.join('\n')}`);
    },
    close: async () => {
      await context.close();
      if (faults.length > 0) throw new Error(faults.join('\n'));
    },
  };
}

function watchFaults(context: BrowserContext, page: Page, address: string): string[] {
  const faults: string[] = [];
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !/^(blob|data):/.test(url)) faults.push(`a request to another origin: ${url}`);
  });
  page.on('pageerror', (error) => faults.push(`an error in the page: ${error.stack || String(error)}`));
  page.on('console', (message) => {
    // The browser writes a line for each answer that is a refusal, which pages expect.
    const isRefusal = message.text().startsWith('Failed to load resource: the server responded with a status of 4');
    if (message.type() === 'error' && !isRefusal) faults.push(`in the browser’s log: ${message.text()}`);
  });
  return faults;
}

/** Waits until the page says that it waits for nothing more. */
async function settled(page: Page): Promise<void> {
  await page.waitForSelector('h1');
  await page.waitForFunction(() => document.querySelector('.loading') === null);
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}

async function keepScreenshot(page: Page, name: string, { language, theme, width }: Look): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}-${width}-${theme}-${language}.png`), fullPage: true });
}

/** On the narrowest screen nothing but a table is scrolled sideways (WCAG 1.4.10). */
async function refuseSidewaysScroll(page: Page, name: string): Promise<void> {
  const [wide, seen] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  if (wide! > seen!) throw new Error(`${name}: the page is ${wide} pixels wide where ${seen} are seen`);
}
