import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { allIfLong, isLong } from '../support/long-run.ts';
import { describeInBrowser } from './support/describe-in-browser.ts';
import type { Look } from './support/looks.ts';
import { startConsole, type TestConsole } from './support/start-console.ts';

/** What somebody can act on, as a screen reader tells it. */
interface Control {
  role: string;
  name: string;
  /** What is seen of it: its own text, else its label's. */
  seen: string;
  /** Where a link leads: two that are called the same must lead to the same. */
  leadsTo: string | null;
}

const interactive = 'a[href], button, input, select, textarea, summary, [role="slider"], [tabindex="0"]';

describeInBrowser('every control of every page', () => {
  let console: TestConsole;
  let bookId = '';
  let draftId = '';
  let webhookId = '';
  const codes: string[] = [];

  beforeAll(async () => {
    console = await startConsole('console_controls');
    const make = async (more: object) => (await console.call<{ id: string }>('POST', '/v1/books', more)).id;
    bookId = await make({ name: 'Summer', status: 'active', endsAt: '2099-03-01', maxRedemptionsPerCode: 3 });
    draftId = await make({ name: 'Winter', endsAt: '2099-06-01' });
    // Twice in the same minute: the buttons of the two rows must be told apart.
    for (let at = 0; at < 2; at += 1)
      await console.call('POST', `/v1/books/${bookId}/codes/generate`, { count: 50, pattern: 'ONE-########' });
    for (let at = 0; at < 4; at += 1) {
      const { code } = await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId, userId: 'ana' });
      codes.push(code);
    }
    const [used, held, gone] = codes;
    await console.call('POST', `/v1/coupons/${used}/redeem`, { userId: 'ana', reference: 'order-1' });
    await console.call('POST', `/v1/coupons/${used}/redeem`, { userId: 'ana', reference: 'order-2' });
    await console.call('POST', `/v1/coupons/${held}/lock`, { userId: 'ana', ttlSeconds: 86_400 });
    await console.call('POST', `/v1/coupons/${gone}/void`, {});
    for (let at = 0; at < 2; at += 1) {
      await console.call('POST', '/v1/api-keys', { name: 'Checkout', role: 'redeemer' });
      await console.call('POST', `/v1/jobs?kind=export-codes&bookId=${bookId}`);
      const webhook = { url: `https://shop.example/${at}`, events: ['coupon.redeemed'] };
      webhookId = (await console.call<{ id: string }>('POST', '/v1/webhooks', webhook)).id;
    }
    const { data } = await console.call<{ data: { id: string }[] }>('GET', '/v1/jobs');
    for (const { id } of data) {
      while ((await console.call<{ status: string }>('GET', `/v1/jobs/${id}`)).status !== 'done') await sleep(50);
    }
  });
  afterAll(() => console?.close());

  const paths: [string, () => string][] = [
    ['overview', () => '/'],
    ['new book', () => '/books/new'],
    ['numbers', () => `/books/${bookId}`],
    ['codes', () => `/books/${bookId}/decks`],
    ['rules', () => `/books/${bookId}/rules`],
    ['a draft', () => `/books/${draftId}`],
    ['a code that was used', () => `/codes/${codes[0]}`],
    ['a code that is held', () => `/codes/${codes[1]}`],
    ['a user', () => '/users/ana'],
    ['redemptions', () => '/redemptions'],
    ['jobs', () => '/jobs'],
    ['starting a job', () => `/jobs?kind=void&bookId=${bookId}`],
    ['webhooks', () => '/webhooks'],
    ['a webhook', () => `/webhooks/${webhookId}`],
    ['keys', () => '/keys'],
    ['health', () => '/server-health'],
    ['nothing found', () => '/find?q=Summer'],
    ['no such page', () => '/nowhere'],
  ];

  /** What is wrong with the names of controls, and with the way to them, on all pages. */
  interface Round {
    names: string[];
    keyboard: string[];
  }
  const rounds: Partial<Record<Look['language'], Promise<Round>>> = {};

  /** Goes to every page once, for all that is asked of its controls. */
  function roundIn(language: Look['language']): Promise<Round> {
    rounds[language] ??= goRound(language);
    return rounds[language];
  }

  async function goRound(language: Look['language']): Promise<Round> {
    const window = await console.openSignedIn({ language });
    const { page } = window;
    const found: Round = { names: [], keyboard: [] };
    for (const [at, [where, path]] of paths.entries()) {
      await window.follow(path());
      // What is around a page is the same on all: it is walked through on the first one.
      const start = at === 0 || isLong ? 'body' : 'main';
      found.keyboard.push(...(await walkByKeyboard(page, start)).map((fault) => `${where}: ${fault}`));
      for (const details of await page.locator('details > summary').all()) await details.click();
      found.names.push(...faultsOf(await controlsOf(page)).map((fault) => `${where}: ${fault}`));
    }
    await page.locator('.menu > button').click();
    found.names.push(...faultsOf(await controlsOf(page)).map((fault) => `the menu: ${fault}`));
    await window.close();
    return found;
  }

  // The words of the two languages are compared in words.test.ts.
  test.each(allIfLong(['en', 'es'] as const, (language) => language === 'en'))(
    'has a name of its own that holds what is seen of it (%s)',
    async (language) => {
      expect((await roundIn(language)).names).toEqual([]);
    },
  );

  test('the rules find a control without a name, two of one name, and a name without what is seen', () => {
    const button = { role: 'button', name: 'Delete Ana', seen: 'Delete', leadsTo: null };
    expect(faultsOf([button, { ...button, name: 'Delete Leo' }])).toEqual([]);
    expect(faultsOf([button, button])).toHaveLength(1);
    expect(faultsOf([{ ...button, name: ' ' }])).toHaveLength(1);
    expect(faultsOf([{ ...button, seen: 'Remove' }])).toHaveLength(1);
    const link = { role: 'link', name: 'Summer', seen: 'Summer', leadsTo: '/a' };
    expect(faultsOf([link, link])).toEqual([]);
    expect(faultsOf([link, { ...link, leadsTo: '/b' }])).toHaveLength(1);
  });

  test('is reached by the Tab key alone, and seen to have the focus', async () => {
    expect((await roundIn('en')).keyboard).toEqual([]);
  });

  const dialogs: [string, () => string, RegExp][] = [
    ['pause', () => `/books/${bookId}`, /^Pause…$/],
    ['extend', () => `/books/${bookId}`, /^Extend the end/],
    ['close', () => `/books/${bookId}`, /^Close…/],
    ['give a code of a book', () => `/books/${bookId}`, /^Give a code…/],
    ['activate', () => `/books/${draftId}`, /^Activate…$/],
    ['remove', () => `/books/${draftId}`, /^Remove…/],
    ['void a deck', () => `/books/${bookId}/decks`, /^Void what is left of.*\(2\)/],
    ['transfer', () => `/codes/${codes[0]}`, /^Give to another user/],
    ['give back', () => `/codes/${codes[0]}`, /^Give one use back/],
    ['void a code', () => `/codes/${codes[0]}`, /^Make void/],
    ['unlock', () => `/codes/${codes[1]}`, /^Let the lock go/],
    ['give a user a code', () => '/users/ana', /^Give a code…/],
    ['erase', () => '/users/ana', /^Erase this user/],
    ['revoke', () => '/keys', /^Revoke Checkout \(2\)/],
    ['replay', () => `/webhooks/${webhookId}`, /^Send again/],
    ['rotate', () => `/webhooks/${webhookId}`, /^New secret/],
    ['delete a webhook', () => `/webhooks/${webhookId}`, /^Delete…/],
  ];

  test('that asks something keeps the focus in its question, and has it back after Escape', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    let present = '';
    for (const [what, path, button] of dialogs) {
      if (path() !== present) await window.follow(path());
      present = path();
      const opener = page.getByRole('button', { name: button });
      // Whoever presses it knows that something is asked first.
      expect(await opener.textContent()).toMatch(/…$/);
      await opener.focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      const named = await controlsOf(page);
      expect([what, faultsOf(named)]).toEqual([what, []]);
      await dialog.evaluate((element) => {
        const note = () => {
          if (!element.isConnected) return document.removeEventListener('keyup', note);
          const focused = document.activeElement;
          // Beside the dialog there are but the browser's own bars, where the body stands for them.
          const place = focused === document.body || element.contains(focused) ? 'within ' : 'beyond ';
          element.dataset.stops = (element.dataset.stops ?? '') + place;
        };
        document.addEventListener('keyup', note);
      });
      for (let at = 0; at < named.length + 1; at += 1) await page.keyboard.press('Tab');
      expect([what, await dialog.getAttribute('data-stops')]).toEqual([what, 'within '.repeat(named.length + 1)]);
      await dialog.locator('button').first().focus();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await focusOn(page, what, opener);
    }
    await window.close();
  });

  test('that is gone with what it did leaves the focus on the page’s heading', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${bookId}`);
    await page.getByRole('button', { name: 'Pause…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause…' }).waitFor();
    await window.close();
  });
});

/** Waits until a control has the focus, which comes a moment after what gives it. */
async function focusOn(page: Page, what: string, control: Locator): Promise<void> {
  const element = await control.elementHandle();
  await page
    .waitForFunction((wanted) => wanted === document.activeElement, element)
    .catch(async () => {
      const held = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200));
      throw new Error(`${what}: the focus is on ${held}`);
    });
}

/**
 * The controls that the browser tells to assistive technology: a dialog's alone, while one is open. They are asked for
 * in three ways, one after the other: where the page has changed meanwhile they are asked for again.
 */
async function controlsOf(page: Page): Promise<Control[]> {
  const standing = () =>
    page
      .locator(interactive)
      .evaluateAll((elements) => elements.map((element) => `${element.outerHTML}${element.checkVisibility()}`).join());
  for (;;) {
    const before = await standing();
    const controls = await readControls(page);
    if (controls !== null && (await standing()) === before) return controls;
  }
}

/** Null where the page changed between the ways of asking. */
async function readControls(page: Page): Promise<Control[] | null> {
  const session = await page.context().newCDPSession(page);
  try {
    await session.send('DOM.enable');
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const told = new Map(nodes.filter(({ ignored }) => !ignored).map((node) => [node.backendDOMNodeId, node]));
    // All of it in one answer, with both numbers of each node.
    const { root } = await session.send('DOM.getDocument', { depth: -1 });
    const { nodeIds } = await session.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector: interactive });
    const backendIds = new Map(allNodes(root).map(({ nodeId, backendNodeId }) => [nodeId, backendNodeId]));
    const seen = await page.locator(interactive).evaluateAll((elements) =>
      elements.map((element) => {
        const labels = [...((element as HTMLInputElement).labels ?? [])].map((label) => label.innerText);
        // What is typed or chosen is a value, and a scrolled region is no label of itself.
        const own = /^(A|BUTTON|SUMMARY)$/.test(element.tagName) ? (element as HTMLElement).innerText : '';
        return { text: own || labels.join(' '), leadsTo: element.getAttribute('href') };
      }),
    );
    if (nodeIds.length !== seen.length) return null;
    return nodeIds.flatMap((id, at) => {
      const node = told.get(backendIds.get(id)!);
      if (node === undefined) return [];
      const { text, leadsTo } = seen[at]!;
      return [{ role: String(node.role?.value), name: String(node.name?.value ?? ''), seen: text, leadsTo }];
    });
  } finally {
    await session.detach();
  }
}

/** A node of the page, with those below it. */
interface PageNode {
  nodeId: number;
  backendNodeId: number;
  children?: PageNode[];
}

const allNodes = (node: PageNode): PageNode[] => [node, ...(node.children ?? []).flatMap(allNodes)];

/** What is wrong with the names of controls that are there together. */
function faultsOf(controls: readonly Control[]): string[] {
  const known = new Map<string, Control>();
  return controls.flatMap((control) => {
    const { role, name, seen, leadsTo } = control;
    const told = `${role} “${name}”`;
    if (name.trim() === '') return [`a ${role} without a name, of which “${seen}” is seen`];
    const former = known.get(told);
    known.set(told, control);
    if (former !== undefined && (leadsTo === null || former.leadsTo !== leadsTo)) return [`${told} is there twice`];
    return plain(name).includes(plain(seen)) ? [] : [`${told} does not hold what is seen: “${seen}”`];
  });
}

/** Without what nobody says aloud. */
function plain(text: string): string {
  return text
    .replaceAll(/[…\s]+/g, ' ')
    .trim()
    .toLowerCase();
}

/** Where the focus is after a press of Tab; null where it is on no control. */
interface Stop {
  id: string;
  name: string;
  isMarked: boolean;
  isOnScreen: boolean;
}

/** Presses Tab from the top of a page, or of its main part, to its end, and says what was left out or not seen. */
async function walkByKeyboard(page: Page, start: 'body' | 'main'): Promise<string[]> {
  const wanted = await page
    .locator(start)
    .locator(interactive)
    .evaluateAll((elements) => {
      for (const element of document.querySelectorAll('[data-stop]')) element.removeAttribute('data-stop');
      return elements.filter((element, at) => {
        element.setAttribute('data-stop', String(at));
        return element.checkVisibility({ visibilityProperty: true });
      }).length;
    });
  await page.evaluate((within) => {
    const watched = globalThis as { stops?: (Stop | null)[] };
    // What is taken away while it has the focus leaves its place to the next Tab: that one is from the top.
    const top = document.createElement('span');
    top.tabIndex = -1;
    document.querySelector(within)!.prepend(top);
    top.focus();
    top.remove();
    const isWatched = watched.stops !== undefined;
    watched.stops = [];
    if (isWatched) return;
    // By then the focus is where the key has brought it.
    document.addEventListener('keyup', () => {
      const stops = watched.stops!;
      const element = document.activeElement as HTMLElement | null;
      if (element === null || element === document.body) return void stops.push(null);
      // A file is chosen by a button that stands for the field.
      const shown = element instanceof HTMLInputElement && element.type === 'file' ? element.labels![0]! : element;
      const { outlineStyle, outlineWidth } = getComputedStyle(shown);
      const { top, bottom, width } = shown.getBoundingClientRect();
      stops.push({
        id: element.dataset.stop ?? '',
        name: shown.innerText || element.outerHTML.slice(0, 80),
        isMarked: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2,
        isOnScreen: width > 0 && bottom > 0 && top < innerHeight,
      });
    });
  }, start);
  let walk = readWalk([]);
  // A field for a date has a stop for each of its parts. Several at a time: to ask costs as much as to press.
  for (let at = 0; at < wanted && !walk.isOver; at += 1) {
    for (let press = 0; press < 8; press += 1) await page.keyboard.press('Tab');
    walk = readWalk(await page.evaluate(() => (globalThis as unknown as { stops: (Stop | null)[] }).stops));
  }
  const { reached, faults } = walk;
  return reached.size === wanted ? faults : [...faults, `Tab reaches ${reached.size} of ${wanted} controls`];
}

/** What the stops of one way through a page show: up to where the focus leaves the page, or is where it was. */
function readWalk(stops: readonly (Stop | null)[]): { reached: Set<string>; faults: string[]; isOver: boolean } {
  const reached = new Set<string>();
  const faults: string[] = [];
  let last = '';
  for (const stop of stops) {
    if (stop === null) return { reached, faults, isOver: true };
    // One that came after the others were counted, with an answer of the server, is not counted either.
    if (stop.id === '' || stop.id === last) continue;
    if (reached.has(stop.id)) return { reached, faults, isOver: true };
    last = stop.id;
    reached.add(stop.id);
    if (!stop.isMarked) faults.push(`nobody sees that “${stop.name}” has the focus`);
    if (!stop.isOnScreen) faults.push(`“${stop.name}” has the focus beyond the screen`);
  }
  return { reached, faults, isOver: false };
}
