import type { Page } from 'playwright-core';
import type { Look } from '../support/looks.ts';
import type { Window } from '../support/open-window.ts';
import type { TestConsole } from '../support/start-console.ts';
import type { ShowCase } from './show-case.ts';

/** Who looks; `root` is the holder of the bootstrap key. */
export const viewers = ['root', 'nobody', 'newcomer', 'operator'] as const;
type Viewer = (typeof viewers)[number];

/** What a picture is of. */
export interface View {
  name: string;
  /** Below /console. */
  path: string;
  /** Who looks; `root` unless said. */
  as?: Viewer;
  /** What is done before the picture is taken, in either language. */
  act?: (page: Page) => Promise<unknown>;
}

/** Opens the question behind a button, which is found by its place, as its name is another one in each language. */
const press = (selector: string) => async (page: Page) => {
  await page.locator(selector).first().click();
  await page.locator('dialog[open]').waitFor();
};

/** Every page of the console, in its states, and each question that it asks. */
export function viewsOf({ books, codes, webhookId }: ShowCase): View[] {
  const code = (name: keyof ShowCase['codes']) => `/codes/${codes[name]}`;
  const actions = '.page-title .actions .button';
  return [
    { name: 'sign-in', path: '/', as: 'nobody' },
    { name: 'sign-in-refused', path: '/', as: 'nobody', act: refusedKey },
    { name: 'overview', path: '/' },
    { name: 'overview-nothing-found', path: '/?q=zzz' },
    { name: 'overview-first-run', path: '/', as: 'newcomer' },
    { name: 'menu', path: '/', act: (page) => page.locator('.menu > button').click() },
    { name: 'navigation', path: '/', act: openNavigation },
    { name: 'new-book', path: '/books/new' },
    { name: 'new-book-refused', path: '/books/new', act: wrongBook },
    { name: 'book', path: `/books/${books.running}?step=hour&days=3`, act: waitForChart },
    { name: 'book-table', path: `/books/${books.running}?step=hour&days=1`, act: openTable },
    { name: 'book-draft', path: `/books/${books.draft}` },
    { name: 'book-empty', path: `/books/${books.empty}` },
    { name: 'book-demo', path: `/books/${books.demo}` },
    { name: 'book-public', path: `/books/${books.public}` },
    { name: 'book-close', path: `/books/${books.running}`, act: press(`${actions}-caution`) },
    { name: 'book-give', path: `/books/${books.running}`, act: press(`${actions} >> nth=0`) },
    { name: 'book-extend', path: `/books/${books.running}`, act: press(`${actions} >> nth=2`) },
    { name: 'codes', path: `/books/${books.running}/decks` },
    { name: 'codes-public', path: `/books/${books.public}/decks` },
    { name: 'codes-none', path: `/books/${books.empty}/decks` },
    { name: 'codes-brought', path: `/books/${books.draft}/decks`, act: bringFile },
    { name: 'codes-void', path: `/books/${books.running}/decks`, act: press('td .button-caution') },
    { name: 'rules', path: `/books/${books.running}/rules` },
    { name: 'rules-preview', path: `/books/${books.running}/rules`, act: previewRules },
    { name: 'rules-over', path: `/books/${books.over}/rules` },
    { name: 'code-assigned', path: `${code('assigned')}?moment=2026-11-27T21:05` },
    { name: 'code-locked', path: code('locked') },
    { name: 'code-redeemed', path: code('redeemed') },
    { name: 'code-voided', path: code('voided') },
    { name: 'code-over', path: code('over') },
    { name: 'code-free', path: code('free') },
    { name: 'code-public', path: '/codes/SUMMER20' },
    { name: 'code-missing', path: '/codes/NOT-THERE-1' },
    { name: 'code-transfer', path: code('assigned'), act: press(`${actions} >> nth=0`) },
    { name: 'code-give-back', path: code('redeemed'), act: press(`${actions} >> nth=0`) },
    { name: 'code-give', path: code('free'), act: press(`${actions} >> nth=0`) },
    { name: 'user', path: '/users/ana' },
    { name: 'user-nothing', path: '/users/nobody' },
    { name: 'user-erase', path: '/users/ana', act: press(`${actions}-caution`) },
    { name: 'find-several', path: '/find?q=paper+10' },
    { name: 'find-nothing', path: '/find?q=sale' },
    { name: 'redemptions', path: '/redemptions' },
    { name: 'jobs', path: '/jobs' },
    { name: 'jobs-void', path: `/jobs?kind=void&bookId=${books.running}` },
    { name: 'webhooks', path: '/webhooks' },
    { name: 'webhook', path: `/webhooks/${webhookId}` },
    { name: 'webhook-replay', path: `/webhooks/${webhookId}`, act: press(`${actions} >> nth=1`) },
    { name: 'webhook-refused', path: '/webhooks', act: sendForm },
    { name: 'keys', path: '/keys' },
    { name: 'key-refused', path: '/keys', act: sendForm },
    { name: 'key-revoke', path: '/keys', act: press('td .button-caution >> nth=0') },
    { name: 'health', path: '/server-health' },
    { name: 'nowhere', path: '/nowhere' },
    { name: 'not-for-this-role', path: '/books/new', as: 'operator' },
    { name: 'rules-read-only', path: `/books/${books.running}/rules`, as: 'operator' },
  ];
}

/** Opens a window as whoever looks. */
export async function openAs(
  console: TestConsole,
  showCase: ShowCase,
  viewer: Viewer = 'root',
  look: Partial<Look> = {},
): Promise<Window> {
  if (viewer === 'nobody') return console.open(look);
  return console.openSignedIn(look, viewer === 'root' ? undefined : showCase[viewer]);
}

/** Goes to a view in a window, and does what is done before it is seen. */
export async function goTo(window: Window, { path, act }: View): Promise<void> {
  await window.follow(path);
  await act?.(window.page);
}

/** Waits until the chart has drawn its lines. */
export async function waitForChart(page: Page): Promise<void> {
  await page.locator('.chart-plot polyline').first().waitFor();
}

async function openTable(page: Page): Promise<void> {
  await waitForChart(page);
  await page.locator('.chart summary').click();
}

/** On a wide screen it is open already. */
async function openNavigation(page: Page): Promise<void> {
  const button = page.locator('.nav-button');
  if (await button.isVisible()) await button.click();
}

async function refusedKey(page: Page): Promise<void> {
  await page.locator('.sign-in input').first().fill('qk_not-a-key-of-anybody');
  await page.locator('.sign-in button[type="submit"]').click();
  await page.locator('.problem, .field-error').first().waitFor();
}

async function wrongBook(page: Page): Promise<void> {
  await page.locator('input[inputmode="numeric"]').nth(1).fill('many');
  await page.locator('input[list="time-zones"]').fill('Europa/Madrid');
  await sendForm(page);
}

async function sendForm(page: Page): Promise<void> {
  await page.locator('main form button[type="submit"]').click();
  await page.locator('.field-error').first().waitFor();
}

/** Nothing of it is taken, so that it can be brought for each picture anew. */
async function bringFile(page: Page): Promise<void> {
  const file = { name: 'codes.csv', mimeType: 'text/csv', buffer: Buffer.from('code\nno good!\nAB\nVIP1\u0000\n') };
  await page.locator('input[type="file"]').setInputFiles(file);
  await page.locator('form:has(input[type="file"]) button[type="submit"]').click();
  await page.locator('main details summary').click();
}

async function previewRules(page: Page): Promise<void> {
  await page.locator('input[inputmode="numeric"]').nth(1).fill('9');
  await page.locator('input[type="datetime-local"]').nth(1).fill('2099-06-01T00:00');
  await page.locator('main form button[type="submit"]').click();
  await page.locator('dialog[open]').waitFor();
}
