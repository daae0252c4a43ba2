import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { findBarriers } from './barriers.ts';
import { findLayoutFaults } from './layout-faults.ts';
import type { Look } from './looks.ts';

/** Where pictures of pages are kept, for people to look at. Nothing is compared with them. */
const pictures = join(import.meta.dirname, '../screenshots');

/** A window of the console, which fails its test where the page does what it must not. */
export interface Window {
  page: Page;
  /** Goes to an address below /console, and waits until the page is there. */
  visit(path: string): Promise<void>;
  /** What the page did that it must not: to other origins, against its policy, or in its log. */
  faults(): string[];
  /** Fails where the page has a barrier that axe finds, or does not keep its layout. */
  inspect(name: string): Promise<void>;
  /** Fails where the page does not keep its layout. */
  look(name: string): Promise<void>;
  /** Keeps a picture of the whole page below `test/console/screenshots/`. */
  picture(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a window of its own context in a browser: nobody is signed in, and nothing is kept of other windows. */
export async function openWindow(browser: Browser, address: string, seen: Partial<Look>): Promise<Window> {
  const { language = 'en', theme = 'light', width = 1024 } = seen;
  const context = await browser.newContext({
    locale: language === 'en' ? 'en-GB' : 'es-AR',
    colorScheme: theme,
    timezoneId: 'Europe/Madrid',
    viewport: { width, height: heights[width] },
    reducedMotion: 'reduce',
  });
  await tellViolations(context);
  // No test's outcome hangs on how fast a shared machine is.
  context.setDefaultTimeout(300_000);
  const page = await context.newPage();
  const faults = watchFaults(context, page, address);
  const picture = async (name: string) => {
    const path = join(pictures, `${name}-${width}-${theme}-${language}.png`);
    mkdirSync(dirname(path), { recursive: true });
    await page.screenshot({ path, fullPage: true });
  };
  /** What is wrong with a page is best seen. */
  const refuse = async (name: string, found: string[]) => {
    if (found.length === 0) return;
    await picture(`failed-${name}`);
    throw new Error(`${name} (${width}, ${theme}, ${language}): ${found.join('\n')}`);
  };
  const look = async (name: string) => {
    await settled(page);
    await refuse(name, await findLayoutFaults(page));
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
      await refuse(name, await findBarriers(page));
    },
    picture: async (name) => {
      await settled(page);
      await picture(name);
    },
    close: async () => {
      await context.close();
      if (faults.length > 0) throw new Error(faults.join('\n'));
    },
  };
}

/**
 * Whether axe inspects pages in this look. What it looks for hangs on colours and on the narrowness, in one language as
 * in the other: so each theme is inspected once, and so is each of the two ways in which a page is laid out. These are
 * the looks of every run; the long one has the others.
 */
export const isInspected = ({ theme, width }: Pick<Look, 'theme' | 'width'>) =>
  width === (theme === 'light' ? 320 : 1024);

/** Looks at a page in one of many looks. */
export async function lookOrInspect(window: Window, look: Pick<Look, 'theme' | 'width'>, name: string) {
  if (isInspected(look)) await window.inspect(name);
  else await window.look(name);
}

const heights: Record<Look['width'], number> = { 320: 640, 1024: 900, 2560: 1_440 };

/** A policy's violation is told to the page alone. */
async function tellViolations(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`content policy: ${violatedDirective} ${blockedURI}`);
    });
  });
}

function watchFaults(context: BrowserContext, page: Page, address: string): string[] {
  const faults: string[] = [];
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !/^(blob|data):/.test(url)) faults.push(`a request to another origin: ${url}`);
  });
  page.on('pageerror', (error) => faults.push(`an error in the page: ${error.stack || String(error)}`));
  page.on('console', (message) => {
    // The browser writes a line for each answer that is a refusal, which pages expect: of a server that is too busy for
    // the moment too, whom they ask again.
    const isRefusal = /^Failed to load resource: the server responded with a status of (4|503)/.test(message.text());
    if (message.type() === 'error' && !isRefusal) faults.push(`in the browser’s log: ${message.text()}`);
  });
  return faults;
}

/** Waits until the page says that it waits for nothing more. */
async function settled(page: Page): Promise<void> {
  // Both at one moment: what is loaded by now may have brought something else that loads.
  const isSettled = () => document.querySelector('h1') !== null && document.querySelector('.loading') === null;
  // Asked at each frame, as is usual, the browser would draw sixty frames a second only to be asked.
  await page.waitForFunction(isSettled, null, { polling: 50 });
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}
