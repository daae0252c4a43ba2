import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeInBrowser } from './support/describe-in-browser.ts';
import type { Window } from './support/open-window.ts';
import { rootKey, startConsole, type TestConsole } from './support/start-console.ts';

interface Counts {
  counts: { codes: number; available: number; assigned: number; voided: number };
}

const importedCodes = 50_000;

describeInBrowser('a campaign week, in the browser alone', () => {
  let console: TestConsole;
  let window: Window;
  /** What a person did in each task, and how long the console took over it. */
  const told: string[] = [];
  let bookId = '';
  let code = '';

  beforeAll(async () => {
    console = await startConsole('campaign_week');
    window = await console.open();
  });
  afterAll(async () => {
    process.stderr.write(`\nA campaign week:\n${told.join('\n')}\n`);
    await window?.close();
    await console?.close();
  });

  /** Does a task in steps, each of which is one thing that a person does. */
  async function task(name: string, steps: (() => Promise<unknown>)[]): Promise<void> {
    const started = performance.now();
    for (const step of steps) await step();
    told.push(`  ${name}: ${steps.length} steps, ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  }

  const counts = async () => (await console.call<Counts>('GET', `/v1/books/${bookId}`)).counts;

  test('a book is made for a time zone, with limits', async () => {
    const { page } = window;
    await window.visit('/');
    await task('make a book', [
      () => page.getByLabel('API key').fill(rootKey),
      () => page.keyboard.press('Enter'),
      () => page.getByRole('link', { name: 'New book' }).first().click(),
      () => page.getByLabel('Name').fill('Hot Sale'),
      () => page.getByLabel('Time zone').fill('America/Mexico_City'),
      () => page.getByLabel('Ends').fill('2099-06-01T00:00'),
      () => page.getByLabel('Codes per user').fill('2'),
      () => page.getByLabel('Active from the start').check(),
      () => page.getByRole('button', { name: 'Make the book' }).click(),
      () => page.getByRole('heading', { name: 'Hot Sale' }).waitFor(),
    ]);
    bookId = /books\/([^/]+)/.exec(page.url())![1]!;
    expect(await console.call('GET', `/v1/books/${bookId}`)).toMatchObject({
      status: 'active',
      timeZone: 'America/Mexico_City',
      endsAt: '2099-06-01T06:00:00.000Z',
      maxCodesPerUser: 2,
    });
  });

  test('50,000 codes come from a spreadsheet with errors, which are told row by row', async () => {
    const { page } = window;
    const file = join(tmpdir(), `campaign-${process.pid}.csv`);
    const rows = Array.from({ length: importedCodes }, (_row, at) => `${at},HOT-${100_000 + at},campaign`);
    rows.splice(10, 0, 'x,not a code!,campaign', `y,HOT-100000,campaign`, 'z,AB,campaign');
    writeFileSync(file, `id,code,source\r\n${rows.join('\r\n')}`);
    // The test's own time is enough: what comes before the download takes as long as it takes.
    const saved = page.waitForEvent('download', { timeout: 0 });
    await task('import 50,000 codes', [
      () => page.getByRole('link', { name: 'Put codes into it' }).click(),
      () => page.getByLabel('Choose a file').setInputFiles(file),
      () => page.getByRole('button', { name: 'Send the file' }).click(),
      () => page.getByText('3 rows were not taken').waitFor(),
      () => page.getByRole('button', { name: 'Download them' }).click(),
    ]);
    const rejected = readFileSync(await (await saved).path(), 'utf8');
    expect(rejected).toContain('AB,Shorter than 4 characters.');
    expect((await counts()).codes).toBe(importedCodes);
  });

  test('how many are left is seen without a reload, as codes are given out', async () => {
    const { page } = window;
    await task('see how many are left', [
      () => page.getByRole('link', { name: 'Numbers' }).click(),
      () => page.getByText('50,000').first().waitFor(),
    ]);
    for (const userId of ['u-1', 'u-2']) {
      code = (await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId, userId })).code;
    }
    await page.getByText('49,998').waitFor();
  });

  test('500 VIPs get a code each from a file', async () => {
    const { page } = window;
    const file = join(tmpdir(), `vips-of-the-week-${process.pid}.csv`);
    writeFileSync(file, `User ID,Tier\r\n${Array.from({ length: 500 }, (_row, at) => `vip-${at},gold`).join('\r\n')}`);
    const row = page.getByRole('row', { name: /Give codes to users/ });
    await task('give 500 VIPs a code', [
      () => page.getByRole('link', { name: 'Codes', exact: true }).click(),
      () => page.getByRole('link', { name: 'Give codes to the users of a file' }).click(),
      () => page.getByLabel('Choose a file').setInputFiles(file),
      () => page.getByRole('button', { name: 'Give the codes' }).click(),
      () => row.getByText('Done', { exact: true }).waitFor(),
    ]);
    expect(await counts()).toMatchObject({ assigned: 502, available: 49_498 });
  });

  test('a stuck lock is let go, and “why was it refused?” is answered', async () => {
    const { page } = window;
    await console.call('POST', `/v1/coupons/${code}/lock`, { userId: 'u-2', ttlSeconds: 86_400 });
    await task('let go a stuck lock', [
      () => page.keyboard.press('/'),
      () => page.keyboard.type(code.toLowerCase()),
      () => page.keyboard.press('Enter'),
      () => page.getByRole('button', { name: 'Let the lock go' }).click(),
      () => page.getByLabel(/Reason/).fill('The customer called'),
      () => page.getByRole('dialog').getByRole('button', { name: 'Let the lock go' }).click(),
      () => page.getByText('An operator let it go: The customer called').waitFor(),
    ]);
    await task('answer why a coupon was refused', [
      () => page.getByLabel(/Moment/).fill('2020-01-01T21:05'),
      () => page.getByText('Nobody had it then: it had not been given yet.').waitFor(),
    ]);
    await window.visit(`/books/${bookId}`);
  });

  test('a leaked deck is stopped', async () => {
    const { page } = window;
    await task('stop a leaked deck', [
      () => page.getByRole('link', { name: 'Codes', exact: true }).click(),
      () => page.getByRole('button', { name: /Void what is left of/ }).click(),
      () => page.getByLabel('Type “Hot Sale” to confirm').fill('Hot Sale'),
      () => page.getByRole('button', { name: 'Void them' }).click(),
      () => page.getByText('49,498 codes are void.').first().waitFor(),
    ]);
    expect(await counts()).toMatchObject({ available: 0, assigned: 502, voided: 49_498 });
  });

  test('the end is extended', async () => {
    const { page } = window;
    await task('extend the end', [
      () => page.getByRole('button', { name: 'Extend the end' }).click(),
      () => page.getByLabel('New end').fill('2099-07-01T00:00'),
      () => page.getByRole('button', { name: 'Move the end' }).click(),
      () => page.getByText('1 Jul 2099').first().waitFor(),
    ]);
    expect(await console.call('GET', `/v1/books/${bookId}`)).toMatchObject({ endsAt: '2099-07-01T06:00:00.000Z' });
  });

  test('finance gets its export', async () => {
    const { page } = window;
    const saved = page.waitForEvent('download');
    await task('export for finance', [
      () => page.getByRole('link', { name: 'Numbers' }).click(),
      () => page.getByRole('button', { name: 'Codes with their state' }).click(),
    ]);
    const lines = readFileSync(await (await saved).path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines).toHaveLength(importedCodes + 1);
    expect(lines[0]).toContain('code');
  });
});
