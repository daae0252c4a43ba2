import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Locator } from 'playwright-core';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { holdRequest } from './support/hold-request.ts';
import { keepJobRunning } from './support/keep-job-running.ts';
import { startConsole, type TestConsole } from './support/start-console.ts';

/** One more than a page writes by itself. */
const longCount = 50_001;

describeInBrowser('long work, webhooks and the server, in the console', () => {
  let console: TestConsole;
  let bookId = '';
  beforeAll(async () => {
    console = await startConsole('console_operations', { WEBHOOK_ALLOW_LOOPBACK: 'true' });
    const book = { name: 'VIP night', status: 'active' };
    bookId = (await console.call<{ id: string }>('POST', '/v1/books', book)).id;
    await console.call('POST', `/v1/books/${bookId}/codes/generate`, { count: 100, pattern: 'VIPS-########' });
  });
  afterAll(() => console?.close());

  test('users of a file get codes, one who is twice in it one, and the result says so row by row', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${bookId}/decks`);
    await page.getByRole('link', { name: 'Give codes to the users of a file' }).click();
    await page.getByRole('button', { name: 'Give the codes' }).click();
    await page.getByText('Choose a file first.').waitFor();
    const file = join(tmpdir(), `vips-${process.pid}.csv`);
    writeFileSync(file, 'customer,count\nana,2\n');
    await page.getByLabel('Choose a file').setInputFiles(file);
    await page.getByRole('button', { name: 'Give the codes' }).click();
    await page.getByText('Its first line names no column “userId”').waitFor();
    // Mended where it lies it is another file than the one that was chosen; a browser lets a second of difference pass.
    writeFileSync(file, 'userId,count\nana,2\nleo,1\nana,1\n');
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    await page.getByRole('button', { name: 'Give the codes' }).click();
    await page.getByText('The file was changed or moved after you chose it.').waitFor();
    // By hand, since a browser says nothing of a file that is the one before.
    const chooser = page.waitForEvent('filechooser');
    await page.getByText('Choose a file', { exact: true }).click();
    await (await chooser).setFiles(file);
    await page.getByRole('button', { name: 'Give the codes' }).click();
    // One wants two codes, so there are more than rows.
    await page.getByText('Started: 4 codes are to be given.').first().waitFor();
    // Seen without a reload.
    const row = page.getByRole('row', { name: /Give codes to users/ });
    await row.getByText('Done', { exact: true }).waitFor();
    await row.getByText('4 of 4').waitFor();
    await window.inspect('jobs-done');
    const saved = page.waitForEvent('download');
    await row.getByRole('button', { name: /^Download/ }).click();
    const result = readFileSync(await (await saved).path(), 'utf8');
    expect(result).toContain('assigned');
    expect(result).toContain('duplicate-in-file');
    expect(await console.call('GET', `/v1/books/${bookId}`)).toMatchObject({ counts: { assigned: 3 } });
    await window.close();
  });

  test('rows that were refused are brought again, those alone, and a job over all books says so', async () => {
    const small = { name: 'Small', status: 'active' };
    const { id } = await console.call<{ id: string }>('POST', '/v1/books', small);
    await console.call('POST', `/v1/books/${id}/codes/generate`, { count: 1, pattern: 'SMALL-########' });
    await console.call('POST', '/v1/jobs?kind=export-redemptions');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/jobs?kind=assign&bookId=${id}`);
    const file = join(tmpdir(), `small-${process.pid}.csv`);
    writeFileSync(file, 'userId,count\n+34 600,2\n"a, b",1\n');
    await page.getByLabel('Choose a file').setInputFiles(file);
    await page.getByRole('button', { name: 'Give the codes' }).click();
    const row = page.getByRole('row').filter({ hasText: 'Small' });
    await row.getByText('Done', { exact: true }).waitFor();
    await page
      .getByRole('row', { name: /List of redemptions/ })
      .getByText('All books')
      .waitFor();
    await console.call('POST', `/v1/books/${id}/codes/generate`, { count: 9, pattern: 'SMALL-########' });
    await row.getByRole('link', { name: 'Do the rest' }).click();
    await page.getByText('The file below has the rows of that job that were not done.').waitFor();
    await window.inspect('job-again');
    await page.getByRole('button', { name: 'Give the codes' }).click();
    await row.getByText('2 of 2').waitFor();
    const { counts } = await console.call<{ counts: object }>('GET', `/v1/books/${id}`);
    expect(counts).toMatchObject({ assigned: 3 });
    // Begun anew, from the old job or by somebody else, the rest is not brought a second time.
    await window.follow('/jobs');
    await page.getByRole('row').filter({ hasText: 'Small' }).last().getByRole('link', { name: 'Do the rest' }).click();
    await page.getByText('The file below has the rows of that job that were not done.').waitFor();
    await page.getByRole('button', { name: 'Give the codes' }).click();
    await page.getByText('was brought before, and nothing was done again').first().waitFor();
    for (const user of ['+34 600', 'a, b']) {
      const { data } = await console.call<{ data: unknown[] }>('GET', `/v1/users/${encodeURIComponent(user)}/coupons`);
      expect([user, data.length]).toEqual([user, user === 'a, b' ? 1 : 2]);
    }
    await window.close();
  });

  test('who gives codes of a book that gives none is told so before, and after that all were refused', async () => {
    const { id } = await console.call<{ id: string }>('POST', '/v1/books', { name: 'Not yet' });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/jobs?kind=assign&bookId=${id}`);
    await page.locator('.warning', { hasText: 'This book is a draft' }).waitFor();
    const file = join(tmpdir(), `early-${process.pid}.csv`);
    writeFileSync(file, 'userId\nana\n');
    await page.getByLabel('Choose a file').setInputFiles(file);
    await window.inspect('job-draft');
    await page.getByRole('button', { name: 'Give the codes' }).click();
    await page.getByRole('row').filter({ hasText: 'Not yet' }).getByText('All refused').waitFor();
    await window.close();
  });

  test('a file of codes is made void only after it was confirmed', async () => {
    const { code } = await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId, userId: 'eva' });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${bookId}/decks`);
    await page.getByRole('link', { name: 'Void the codes of a file' }).click();
    const file = join(tmpdir(), `leaked-${process.pid}.csv`);
    writeFileSync(file, `code\n${code}\nNOT-OURS-1\n`);
    await page.getByLabel('Choose a file').setInputFiles(file);
    await page.getByRole('button', { name: 'Make them void' }).click();
    await page.getByText('Please confirm it first.').waitFor();
    await page.getByLabel('I know that these codes').check();
    await page.getByRole('button', { name: 'Make them void' }).click();
    const row = page.getByRole('row', { name: /Make codes void/ });
    await row.getByText('Done', { exact: true }).waitFor();
    expect(await console.call('GET', `/v1/coupons/${code}`)).toMatchObject({ status: 'voided' });
    // The other code comes meanwhile; the result of the job has no reason of it.
    await console.call('POST', `/v1/books/${bookId}/codes`, { codes: ['NOT-OURS-1'] });
    await row.getByRole('link', { name: 'Do the rest' }).click();
    await page.getByLabel('Reason').fill('Leaked, twice');
    await window.inspect('job-void-again');
    await page.getByLabel('I know that these codes').check();
    await page.getByRole('button', { name: 'Make them void' }).click();
    await page
      .getByRole('row', { name: /Make codes void/ })
      .filter({ hasText: '1 of 1' })
      .getByText('Done', { exact: true })
      .waitFor();
    expect(await console.call('GET', '/v1/codes/NOT-OURS-1')).toMatchObject({ status: 'voided' });
    await window.close();
  });

  test('a job is cancelled after a question, and what was done stays', async () => {
    const rows = Array.from({ length: 10_000 }, (_row, at) => `nobody-${at}`).join('\n');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/jobs?bookId=${bookId}`);
    const file = join(tmpdir(), `many-${process.pid}.csv`);
    writeFileSync(file, `userId\n${rows}\n`);
    await page.getByLabel('Choose a file').setInputFiles(file);
    const kept = keepJobRunning(console.core);
    await page.getByRole('button', { name: 'Give the codes' }).click();
    await kept;
    await page.getByRole('button', { name: /^Cancel: / }).click();
    await page.getByText('rows are done and stay done').waitFor();
    await window.inspect('job-cancel');
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor();
    await page.getByText(/^[\d,]+ done, [\d,]+ not begun$/).waitFor();
    await window.close();
  });

  test('a webhook is made, its secret shown once, tested, changed, switched off and on, and deleted', async () => {
    const told: string[] = [];
    const endpoint = createServer((request, response) => {
      told.push(String(request.headers['webhook-id']));
      request.resume();
      response.end();
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/till`;
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/webhooks');
    await page.getByRole('button', { name: 'Make the webhook' }).click();
    await page.locator('.field-error').first().waitFor();
    await page.getByLabel('Address').fill(url);
    await page.getByLabel('A coupon was redeemed').check();
    await page.getByRole('button', { name: 'Make the webhook' }).click();
    const secret = await page.locator('code.secret').textContent();
    expect(secret).toMatch(/^whsec_/);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('link', { name: url }).click();
    await page.getByRole('heading', { name: url, level: 1 }).waitFor();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page
      .getByRole('row', { name: /A test/ })
      .getByText('Taken')
      .waitFor();
    // What is repeated after an answer that came too late has the same id.
    expect(new Set(told).size).toBe(1);
    await page.getByLabel('A book has few codes left').check();
    await page.getByRole('button', { name: 'Change the webhook' }).click();
    await page.getByText('The webhook is changed.').first().waitFor();
    await page.getByRole('button', { name: 'Send again…' }).click();
    await window.inspect('webhook-replay');
    await page.getByRole('button', { name: 'Send it again' }).click();
    await page.getByText('as fast as the other system takes it').first().waitFor();
    await page.getByRole('button', { name: 'New secret…' }).click();
    await page.getByRole('button', { name: 'Make it' }).click();
    expect(await page.locator('code.secret').textContent()).not.toBe(secret);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByText('Somebody switched it off.').waitFor();
    await window.inspect('webhook-off');
    await page.getByRole('button', { name: 'Switch on' }).click();
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByLabel(`Type “${url}” to confirm`).fill(url);
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText('Nobody is told of anything yet').waitFor();
    await window.close();
    endpoint.close();
  });

  test('the overview names webhooks that fail or were switched off, and jobs that failed, with links', async () => {
    const make = async (name: string) => {
      const webhook = { url: `https://${name}.example/`, events: ['coupon.redeemed'] };
      return (await console.call<{ id: string }>('POST', '/v1/webhooks', webhook)).id;
    };
    const [failing, gone, wanted] = [await make('failing'), await make('gone'), await make('wanted')];
    const job = await console.call<{ id: string }>('POST', `/v1/jobs?kind=export-codes&bookId=${bookId}`);
    while (!(await console.call<{ finishedAt: string | null }>('GET', `/v1/jobs/${job.id}`)).finishedAt)
      await sleep(50);
    const { pool } = console.core;
    await pool.query("update webhooks set failing_since = now() - interval '3 hours' where id = $1", [failing]);
    await pool.query("update webhooks set status = 'disabled', disabled_reason = 'gone' where id = $1", [gone]);
    await pool.query("update webhooks set status = 'disabled', disabled_reason = 'by-admin' where id = $1", [wanted]);
    await pool.query("update jobs set status = 'failed', error = 'The disk is full.' where id = $1", [job.id]);
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/');
    const attention = page.getByRole('region', { name: 'Needs attention' });
    await attention.getByText('Nothing has arrived there since').waitFor();
    await attention.getByText('It said that it is gone').waitFor();
    expect(await attention.getByRole('link', { name: 'wanted' }).count()).toBe(0);
    await window.inspect('attention');
    await attention.getByRole('link', { name: 'List of codes, VIP night' }).click();
    await page.locator('tr[aria-current]').getByText('The disk is full.').waitFor();
    await page.locator('tr[aria-current]').getByText('No file: it stopped after 101 rows.').waitFor();
    await window.follow('/');
    await attention.getByRole('link', { name: 'failing.example' }).click();
    await page.getByRole('heading', { name: 'https://failing.example/' }).waitFor();
    await window.close();
  });

  test('a book with a public code shows the code, and no stock that could run out', async () => {
    const { id } = await console.call<{ id: string }>('POST', '/v1/books', {
      name: 'Everybody',
      publicCode: 'SUMMER20',
    });
    const plain = await console.call<{ id: string }>('POST', '/v1/books', { name: 'Everybody once' });
    const window = await console.openSignedIn({ width: 320 });
    const { page } = window;
    await window.follow('/?q=Everybody');
    const card = page.locator('.card').filter({ hasNotText: 'Everybody once' });
    const plainCard = page.locator('.card').filter({ hasText: 'Everybody once' });
    /** How often a book's card, or its page, has its code, what is left, and how much of it was given. */
    const shownIn = async (part: Locator) => [
      await part.getByText('SUMMER20').count(),
      await part.getByText(/^left$/i).count(),
      await part.getByRole('meter').count(),
    ];
    await card.getByRole('link').waitFor();
    expect([await shownIn(card), await shownIn(plainCard)]).toEqual([
      [1, 0, 0],
      [0, 1, 1],
    ]);
    await window.follow(`/books/${id}`);
    await page.locator('.figures').waitFor();
    const ofPage = [await shownIn(page.locator('.figures'))];
    await window.look('book-public');
    await window.follow(`/books/${plain.id}`);
    await page.locator('.figures').waitFor();
    ofPage.push(await shownIn(page.locator('.figures')));
    expect(ofPage.map(([code, left]) => [code, left])).toEqual([
      [1, 0],
      [0, 1],
    ]);
    // What a customer is told of the code hangs on the book.
    const standing = async () => {
      await window.follow('/codes/SUMMER20');
      await page.getByRole('link', { name: 'Everybody' }).waitFor();
      return page.locator('.page-intro').textContent();
    };
    expect(await standing()).toContain('Its book is a draft');
    await console.call('PATCH', `/v1/books/${id}`, { status: 'active' });
    expect(await standing()).toContain('whoever brings it gets a coupon');
    await console.call('PATCH', `/v1/books/${id}`, { status: 'paused' });
    expect(await standing()).toContain('Book is paused');
    await window.close();
  });

  test('an operator sees how the server fares and who is told of what, and no keys', async () => {
    const key = { name: 'On call', role: 'operator' };
    const { secret } = await console.call<{ secret: string }>('POST', '/v1/api-keys', key);
    const window = await console.openSignedIn({}, secret);
    const { page } = window;
    await window.follow('/server-health');
    await page.getByText(/Answers in/).waitFor();
    await page.getByRole('row', { name: /Giving and redeeming codes/ }).waitFor();
    await page.getByRole('row', { name: /maintenance/ }).waitFor();
    // The age of the marks, in a unit that says something.
    await page.locator('dt:has-text("Marks") + dd').getByText(/ago$/).waitFor();
    // Each with what it means.
    const facts = await page.locator('.facts dt').count();
    expect(await page.locator('.facts dd > .fact-meaning').count()).toBe(facts);
    await window.inspect('health');
    await page.getByRole('link', { name: 'Webhooks' }).waitFor();
    expect(await page.getByRole('link', { name: 'Keys' }).count()).toBe(0);
    await window.follow('/keys');
    await page.getByRole('heading', { name: 'This page is not for your role' }).waitFor();
    await window.close();
  });

  describe('exports of long lists', () => {
    let longBook = '';
    beforeAll(async () => {
      longBook = (await console.call<{ id: string }>('POST', '/v1/books', { name: 'Huge', status: 'active' })).id;
      await console.call('POST', `/v1/books/${longBook}/codes/generate`, {
        count: longCount,
        pattern: 'HUGE-########',
      });
    });

    const jobs = async () =>
      (await console.call<{ data: { id: string; status: string; kind: string }[] }>('GET', '/v1/jobs')).data;
    const jobsUnderWay = async () => (await jobs()).filter(({ status }) => status === 'running' || status === 'queued');

    test('are written by the server as jobs, with progress, and saved without passing through the page', async () => {
      const window = await console.openSignedIn();
      const { page } = window;
      await window.follow(`/books/${longBook}`);
      const saved = page.waitForEvent('download');
      // The page hears of the end only when its progress was seen.
      const news = await holdRequest(page, /\/v1\/jobs\/[^/]+$/, 'GET');
      await page.getByRole('button', { name: 'Codes with their state' }).click();
      await page.getByRole('progressbar', { name: 'The file is being written' }).waitFor();
      news.letGo();
      const download = await saved;
      // Not a blob, which would be the page's memory.
      expect(download.url()).toMatch(/^http:.*\/v1\/jobs\/[^/]+\/result/);
      expect(download.suggestedFilename()).toBe('codes.csv');
      const lines = readFileSync(await download.path(), 'utf8')
        .trim()
        .split('\n');
      expect(lines).toHaveLength(longCount + 1);
      await page.getByRole('main').getByText('The file with 50,001 rows is written.').waitFor();
      await window.inspect('export-written');
      const again = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download it again' }).click();
      await (await again).cancel();
      await window.close();
    });

    test('wait for other jobs, are cancelled, and are found among the jobs by their link', async () => {
      const window = await console.openSignedIn();
      const { page } = window;
      await window.follow(`/jobs?kind=assign&bookId=${longBook}`);
      const file = join(tmpdir(), `export-behind-${process.pid}.csv`);
      writeFileSync(file, `userId\n${Array.from({ length: 10_000 }, (_row, at) => `u-${at}`).join('\n')}\n`);
      await page.getByLabel('Choose a file').setInputFiles(file);
      const kept = keepJobRunning(console.core);
      await page.getByRole('button', { name: 'Give the codes' }).click();
      await kept;
      await page.getByRole('button', { name: /^Cancel: Give codes/ }).waitFor();
      await window.follow(`/books/${longBook}`);
      await page.getByRole('button', { name: 'Codes with their state' }).click();
      await page.getByText('It waits for other work to end').waitFor();
      await window.inspect('export-waits');
      const link = page.getByRole('main').getByRole('link', { name: 'Jobs' });
      const address = await link.getAttribute('href');
      await page.getByRole('button', { name: 'Cancel the export' }).click();
      await page.getByText('The export is cancelled.').waitFor();
      await window.follow(address!.slice('/console'.length));
      const row = page.locator('tr[aria-current]');
      await row.getByText('List of codes').waitFor();
      await row.getByText('Cancelled').waitFor();
      for (const { id, status } of await jobsUnderWay())
        await console.call('POST', `/v1/jobs/${id}/cancel`).catch(() => status);
      await window.close();
    });

    test('of a session that has ended ask for a sign-in, and save no refusal in the place of a file', async () => {
      const done = (await jobs()).find(({ status, kind }) => status === 'done' && kind === 'export-codes')!;
      // While one is under way the page asks for it, and so finds out by itself that the session has ended.
      while ((await jobsUnderWay()).length > 0) await sleep(100);
      const window = await console.openSignedIn();
      const { page } = window;
      await window.follow(`/jobs?job=${done.id}`);
      await page.context().clearCookies();
      let downloads = 0;
      page.on('download', () => {
        downloads += 1;
      });
      await page
        .locator('tr[aria-current]')
        .getByRole('button', { name: /^Download/ })
        .click();
      await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
      expect(downloads).toBe(0);
      await window.close();
    });
  });
});
