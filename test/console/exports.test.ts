import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { holdRequest } from './support/hold-request.ts';
import { keepJobRunning } from './support/keep-job-running.ts';
import { startConsole, type TestConsole } from './support/start-console.ts';

const codes = 50_001;

describeInBrowser('exports of long lists', () => {
  let console: TestConsole;
  let bookId = '';
  beforeAll(async () => {
    console = await startConsole('console_exports');
    bookId = (await console.call<{ id: string }>('POST', '/v1/books', { name: 'Huge', status: 'active' })).id;
    await console.call('POST', `/v1/books/${bookId}/codes/generate`, { count: codes, pattern: 'HUGE-########' });
  });
  afterAll(() => console?.close());

  const jobs = async () =>
    (await console.call<{ data: { id: string; status: string; kind: string }[] }>('GET', '/v1/jobs')).data;
  const jobsUnderWay = async () => (await jobs()).filter(({ status }) => status === 'running' || status === 'queued');

  test('are written by the server as jobs, with progress, and saved without passing through the page', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${bookId}`);
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
    expect(lines).toHaveLength(codes + 1);
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
    await window.follow(`/jobs?kind=assign&bookId=${bookId}`);
    const file = join(tmpdir(), `export-behind-${process.pid}.csv`);
    writeFileSync(file, `userId\n${Array.from({ length: 10_000 }, (_row, at) => `u-${at}`).join('\n')}\n`);
    await page.getByLabel('Choose a file').setInputFiles(file);
    const kept = keepJobRunning(console.core);
    await page.getByRole('button', { name: 'Give the codes' }).click();
    await kept;
    await page.getByRole('button', { name: /^Cancel: Give codes/ }).waitFor();
    await window.follow(`/books/${bookId}`);
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
