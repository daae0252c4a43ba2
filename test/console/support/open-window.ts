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
  /**
   * Goes on to an address as by a link, and waits until the view is there, which is made anew. The page is loaded only
   * where it is at no view yet: a load costs four times as much.
   */
  follow(path: string): Promise<void>;
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

/** A page in a context of its own, which windows have one after the other. */
interface Pane {
  context: BrowserContext;
  page: Page;
  /** What the page did that it must not, since the window that has it was opened. */
  faults: string[];
  /** Who is signed in to it; null where nothing is left in it. */
  holder: Holder | null;
}

/** Somebody who signs in. */
export interface Holder {
  /** Their API key. */
  key: string;
  /** The session that they got for it, as the cookie has it. */
  session: string;
}

/** Opens windows of a console in a browser: for the holder of a key, or for nobody. */
export type OpenWindow = (seen?: Partial<Look>, key?: string) => Promise<Window>;

/**
 * Nobody is signed in to a window that is opened without a key, and nothing is kept of other windows. It may be the
 * page of one that was closed, with nothing left in it: a new page is a new process of the browser, which costs more
 * than what most tests do in it. A window for the holder of a key may be the page in which they went about before, at
 * the view where they were: so it is with people, and to load all of it again costs more than many tests. A test that
 * leaves something in a page or asks for something of a context itself, such as a route that stays, closes the context
 * or the page in the place of the window; then nobody has it afterwards.
 * @param signIn with a key in a page; it resolves to the session
 */
export function windowsOf(
  browser: Browser,
  address: string,
  signIn: (page: Page, key: string) => Promise<string>,
): OpenWindow {
  /** Those that no window has. The language is the one thing that a page cannot change. */
  const free: Record<Look['language'], Pane[]> = { en: [], es: [] };
  /** A page of the same holder, else one with nothing in it, else any, else a new one. */
  const takePane = async (language: Look['language'], key: string | undefined): Promise<Pane> => {
    const panes = free[language];
    const chosen =
      panes.find(({ holder }) => holder !== null && holder.key === key) ??
      panes.find(({ holder }) => holder === null) ??
      panes[0];
    if (chosen === undefined) return openPane(browser, address, language);
    panes.splice(panes.indexOf(chosen), 1);
    if (chosen.holder !== null && chosen.holder.key !== key) await clear(chosen, address);
    return chosen;
  };
  return async (seen = {}, key = undefined) => {
    const look: Look = { language: 'en', theme: 'light', width: 1024, ...seen };
    const pane = await takePane(look.language, key);
    await pane.page.setViewportSize({ width: look.width, height: heights[look.width] });
    await pane.page.emulateMedia({ colorScheme: look.theme });
    if (key !== undefined && pane.holder === null) pane.holder = { key, session: await signIn(pane.page, key) };
    return windowIn(pane, address, look, async () => {
      if (await isStillOf(pane)) await tidy(pane);
      else await clear(pane, address);
      free[look.language].push(pane);
    });
  };
}

async function openPane(browser: Browser, address: string, language: Look['language']): Promise<Pane> {
  const context = await browser.newContext({
    locale: language === 'en' ? 'en-GB' : 'es-AR',
    timezoneId: 'Europe/Madrid',
    reducedMotion: 'reduce',
  });
  await tellViolations(context);
  // No test's outcome hangs on how fast a shared machine is.
  context.setDefaultTimeout(300_000);
  const page = await context.newPage();
  return { context, page, faults: watchFaults(context, page, address), holder: null };
}

/** Whether who signed in to a page still is, in the session of then. */
async function isStillOf({ context, holder }: Pane): Promise<boolean> {
  const cookies = await context.cookies();
  return holder !== null && cookies.length === 1 && cookies[0]!.value === holder.session;
}

/** Leaves what somebody finds who goes on. */
async function tidy({ page, faults }: Pane): Promise<void> {
  await page.unrouteAll();
  await page.mouse.move(0, 0);
  faults.length = 0;
}

/** Leaves nothing of a window: no session, no choice, no route, and no page that goes on asking the server. */
async function clear(pane: Pane, address: string): Promise<void> {
  const { context, page, faults } = pane;
  await tidy(pane);
  // Of the same origin, and without a script. For about:blank the browser would begin a new process for the next page.
  await page.goto(`${address}/health`);
  await page.evaluate(() => {
    localStorage.clear();
    sessionStorage.clear();
  });
  await context.clearCookies();
  faults.length = 0;
  pane.holder = null;
}

/** @param release gives the pane to the next window */
function windowIn({ page, faults }: Pane, address: string, seen: Look, release: () => Promise<void>): Window {
  const { language, theme, width } = seen;
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
  const visit = async (path: string) => {
    await page.goto(`${address}/console${path}`);
    await settled(page);
  };
  return {
    page,
    visit,
    follow: async (path) => {
      const wanted = new URL(`${address}/console${path}`);
      const { pathname } = new URL(page.url());
      if (!pathname.startsWith('/console')) return visit(path);
      // A view is made anew only where it is another one than before.
      if (pathname === wanted.pathname) await page.evaluate(clickLink, `${address}/console/elsewhere`);
      await page.evaluate(clickLink, wanted.href);
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
      const found = faults.join('\n');
      await release();
      if (found !== '') throw new Error(found);
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

/**
 * Runs in the page. The console changes its view in the frame after the click. What was read out before is wiped away:
 * it stays until something else is said, and would be found in the place of what is said next.
 */
function clickLink(href: string): Promise<void> {
  const said = document.querySelector('[role="status"]')?.firstChild;
  if (said instanceof Text) said.data = '';
  const link = document.createElement('a');
  link.href = href;
  document.body.append(link);
  link.click();
  link.remove();
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}

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
