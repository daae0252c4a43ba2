import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { holdRequest } from './support/hold-request.ts';
import { loseAnswer } from './support/lose-answer.ts';
import { rootKey, startConsole, type TestConsole } from './support/start-console.ts';

interface Counts {
  counts: { codes: number; available: number; voided: number };
}

describeInBrowser('what people do in the console', () => {
  let console: TestConsole;
  beforeAll(async () => {
    console = await startConsole('console_flows');
  });
  afterAll(() => console?.close());

  const makeBook = (name: string, more: object = {}) =>
    console.call<{ id: string; rev: number }>('POST', '/v1/books', { name, ...more });

  test('a book is made by a form whose problems stand beside their fields', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/');
    await page.getByRole('link', { name: 'New book' }).first().click();
    await page.getByLabel('Name').fill('   ');
    await page.getByLabel('Codes per user').fill('many');
    await page.getByRole('button', { name: 'Make the book' }).click();
    await page.locator('.field-error').first().waitFor();
    expect(await page.getByLabel('Codes per user').getAttribute('aria-invalid')).toBe('true');
    await window.inspect('new-book-refused');
    await page.getByLabel('Name').fill('Verano 2026');
    await page.getByLabel('Codes per user').fill('3');
    await page.getByLabel('Time zone').fill('America/Argentina/Buenos_Aires');
    await page.getByLabel('Ends').fill('2099-03-01T00:00');
    // Twice: the second click finds the first under way.
    const making = await holdRequest(page, '**/v1/books', 'POST');
    await page.getByRole('button', { name: 'Make the book' }).dblclick();
    making.letGo();
    await page.getByRole('heading', { name: 'Verano 2026' }).waitFor();
    const { data } = await console.call<{ data: { endsAt: string; maxCodesPerUser: number }[] }>(
      'GET',
      '/v1/books?q=Verano',
    );
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({ endsAt: '2099-03-01T03:00:00.000Z', maxCodesPerUser: 3 });
    await window.close();
  });

  test('what is wrong with a field is said in the language in use, in the order of the form; the server’s own words are marked as English', async () => {
    const window = await console.openSignedIn({ language: 'es' });
    const { page } = window;
    await window.follow('/books/new');
    await page.getByLabel('Nombre').fill('Talonario');
    await page.getByLabel('Zona horaria').fill('Europa/Madrid');
    await page.getByLabel('Usos en total').fill('1,5');
    const send = () => page.getByRole('button', { name: 'Crear el talonario' }).click();
    await send();
    const fault = page.locator('.field-error', { hasText: 'Escribe un número entero, o nada para no poner límite.' });
    expect(await fault.textContent()).not.toContain('must');
    const summary = page.getByRole('alert').getByRole('listitem');
    expect(await summary.allTextContents()).toEqual([
      expect.stringContaining('Zona horaria: Elige una zona de la lista'),
      expect.stringContaining('Usos en total: Escribe un número entero, o nada'),
    ]);
    await page.getByLabel('Zona horaria').fill('Europe/Madrid');
    await page.getByLabel('Usos en total').fill('');
    await page.getByLabel('Código público').fill('----');
    await send();
    await page.locator('.field-error [lang="en"]', { hasText: 'is no code' }).waitFor();
    // Whatever is not in the page's own language says so: a screen reader reads it as what it is.
    const unmarked = await page.locator('main').evaluate((main) => {
      const copy = main.cloneNode(true) as Element;
      for (const element of copy.querySelectorAll('[lang="en"]')) element.remove();
      return copy.textContent;
    });
    expect(unmarked).not.toMatch(/must be|is not|needs/);
    await window.inspect('new-book-refused-es');
    await window.close();
  });

  test('a time zone that is none is told together with the other faults, in both forms', async () => {
    const { id } = await makeBook('Zoned');
    const window = await console.openSignedIn();
    const { page } = window;
    const faultOf = async (label: string) => (await page.getByLabel(label).getAttribute('aria-invalid')) === 'true';
    for (const path of ['/books/new', `/books/${id}/rules`]) {
      await window.follow(path);
      await page.getByLabel('Time zone').fill('Europa/Madrid');
      await page.getByLabel('Starts').fill('2099-03-01T00:00');
      await page.getByLabel('Codes per user').fill('many');
      await page.locator('main form button[type="submit"]').click();
      await page.getByRole('alert').waitFor();
      expect([path, await faultOf('Time zone'), await faultOf('Codes per user')]).toEqual([path, true, true]);
      const told = page.getByRole('alert').getByRole('listitem');
      expect(await told.filter({ hasText: 'Choose a zone of the list' }).count()).toBe(1);
      expect(await told.filter({ hasText: 'Codes per user' }).count()).toBe(1);
    }
    await window.inspect('rules-refused');
    // What is named at the end leads to where it is wrong.
    await page.getByRole('alert').getByRole('button', { name: 'Codes per user' }).click();
    expect(await page.getByLabel('Codes per user').evaluate((field) => field === document.activeElement)).toBe(true);
    // What is changed is not called wrong any more, and the rest still is.
    await page.getByLabel('Time zone').fill('madrid');
    expect([await faultOf('Time zone'), await faultOf('Codes per user')]).toEqual([false, true]);
    await page.getByLabel('Codes per user').fill('3');
    // A place stands for its zone.
    expect(await page.getByLabel('Time zone').inputValue()).toBe('Europe/Madrid');
    await page.getByRole('button', { name: 'Look at the changes' }).click();
    await page.getByRole('button', { name: 'Change the book' }).click();
    await page.getByText('The book is changed.').first().waitFor();
    expect(await console.call('GET', `/v1/books/${id}`)).toMatchObject({ startsAt: '2099-02-28T23:00:00.000Z' });
    await window.close();
  });

  test('an end that has passed is told where it is typed and before the book is activated, and stops nobody', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    // Not what is read out, which has the same words.
    const warning = page.locator('.warning');
    await window.follow('/books/new');
    await page.getByLabel('Name').fill('Last year');
    await page.getByLabel('Time zone').fill('UTC');
    await page.getByLabel('Ends').fill('2020-01-01T00:00');
    await warning.filter({ hasText: 'This moment has passed: nobody can be given a code' }).waitFor();
    await page.getByLabel('Starts').fill('2020-02-01T00:00');
    await warning.filter({ hasText: 'The end must come after the start.' }).waitFor();
    await page.getByLabel('Starts').fill('');
    await window.inspect('new-book-of-the-past');
    await page.getByRole('button', { name: 'Make the book' }).click();
    await page.getByRole('heading', { name: 'Last year' }).waitFor();
    await page.getByRole('button', { name: 'Activate' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Its end has passed: 1 Jan 2020, 00:00 (UTC). Nobody can be given a code').waitFor();
    await window.inspect('activate-of-the-past');
    await dialog.getByRole('button', { name: 'Activate' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Extend the end' }).click();
    await warning.filter({ hasText: 'This moment has passed' }).waitFor();
    await dialog.getByLabel('New end').fill('2099-01-01T00:00');
    await warning.waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Rules' }).click();
    await warning.filter({ hasText: 'This moment has passed' }).waitFor();
    await window.close();
  });

  test('codes are generated, and brought from a file whose wrong rows are listed', async () => {
    const { id } = await makeBook('Files');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}/decks`);
    await page.getByLabel('How many').fill('5,000');
    await page.getByLabel('How a code looks').fill('GEN-######-##');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByRole('row', { name: /Generated/ }).waitFor();
    const file = join(tmpdir(), `codes-${process.pid}.csv`);
    writeFileSync(file, 'one,other\nFILE-1000,FILE-1001\n');
    await page.getByLabel('Choose a file').setInputFiles(file);
    await page.getByRole('button', { name: 'Send the file' }).click();
    await page.getByRole('alert').waitFor();
    // What is told once takes the focus once: the form may be mended in peace.
    const header = page.getByLabel('The first line');
    await header.focus();
    await header.selectOption('present');
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))));
    expect(await header.evaluate((field) => field === document.activeElement)).toBe(true);
    await header.selectOption('auto');
    await page.getByLabel('Choose a file').setInputFiles([]);
    const good = Array.from({ length: 500 }, (_one, at) => `FILE-${1000 + at}`);
    // One is too long, and one was written in another encoding than UTF-8.
    const lines = ['code', ...good, 'no good!', 'FILE-1000', 'X'.repeat(70), 'A\u00D1O-2026', ''];
    writeFileSync(file, lines.join('\r\n'), 'latin1');
    await page.getByLabel('Choose a file').setInputFiles(file);
    await page.getByRole('button', { name: 'Send the file' }).click();
    await page.getByText('4 rows were not taken, 1 of them').waitFor();
    await page.getByText('Rows that were not taken').first().click();
    await page.getByText('Has a character that can’t be read').waitFor();
    await page.getByRole('row', { name: new RegExp(`From a file.*codes-${process.pid}\\.csv`) }).waitFor();
    await page.getByRole('row', { name: /Generated.*GEN-######-##/ }).waitFor();
    await window.inspect('uploaded');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download them' }).click();
    const rejected = await download;
    expect(rejected.suggestedFilename()).toBe('rejected.csv');
    // Mended, it can be brought as it is: its codes stand in the column that an upload looks for, in any language.
    expect(readFileSync(await rejected.path(), 'utf8').split('\r\n')[0]).toBe('\uFEFFLine,code,Why');
    // Brought as it is, none of what it shows of wrong rows becomes a code.
    await page.getByLabel('Choose a file').setInputFiles(await rejected.path());
    await page.getByRole('button', { name: 'Send the file' }).click();
    await page.getByText('No code was added.').first().waitFor();
    expect((await console.call<Counts>('GET', `/v1/books/${id}`)).counts.codes).toBe(5_500);
    await window.close();
  });

  test('what is left of a deck is voided only after the book’s name was typed', async () => {
    const { id } = await makeBook('Leaked', { status: 'active' });
    const codes = Array.from({ length: 100 }, (_one, at) => `LEAK-${at}`);
    await console.call('POST', `/v1/books/${id}/codes?name=${encodeURIComponent('for the fair.csv')}`, { codes });
    const key = await console.call<{ secret: string }>('POST', '/v1/api-keys', { name: 'Ana', role: 'admin' });
    const window = await console.openSignedIn({}, key.secret);
    const { page } = window;
    await window.follow(`/books/${id}/decks`);
    const open = page.getByRole('button', { name: /Void what is left of: From a file, for the fair\.csv/ });
    await open.click();
    await page.getByText('100 codes that nobody has been given').waitFor();
    await page.getByRole('button', { name: 'Void them' }).click();
    await page.getByText('This is not the same text yet.').waitFor();
    await window.inspect('void-deck');
    await page.keyboard.press('Escape');
    const opener = await open.elementHandle();
    await page.waitForFunction((element) => element === document.activeElement, opener);
    expect((await console.call<Counts>('GET', `/v1/books/${id}`)).counts.voided).toBe(0);
    await open.click();
    await page.getByLabel('Reason (optional)').fill('x'.repeat(501));
    await page.getByLabel('Type “Leaked” to confirm').fill(' leaked ');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('This reason can’t be kept as it is.').waitFor();
    expect((await console.call<Counts>('GET', `/v1/books/${id}`)).counts.voided).toBe(0);
    await page.getByLabel('Reason (optional)').fill('A printer sent it round');
    await page.keyboard.press('Enter');
    await page.getByText('100 codes are void.').first().waitFor();
    // Whoever looks at the list afterwards reads what became of it.
    const row = page.getByRole('row', { name: /for the fair\.csv/ });
    await row.getByText('by Ana').waitFor();
    await row.getByText('Reason: A printer sent it round').waitFor();
    await window.inspect('voided-deck');
    expect((await console.call<Counts>('GET', `/v1/books/${id}`)).counts).toMatchObject({ available: 0, voided: 100 });
    // Nothing happened to the code itself: its page says what did to its list.
    await window.follow('/codes/LEAK-7');
    await page.getByText('Its list was made void before anybody was given it').waitFor();
    await page.getByRole('link', { name: 'From a file' }).waitFor();
    await page.getByText('for the fair.csv').waitFor();
    await page.getByText('by Ana').waitFor();
    await page.getByText('A printer sent it round').waitFor();
    await window.inspect('code-of-void-deck');
    await window.close();
    // A checkout's key is told when, in the language of its reader, and not why.
    const till = await console.call<{ secret: string }>('POST', '/v1/api-keys', { name: 'Till', role: 'redeemer' });
    const other = await console.openSignedIn({ language: 'es' }, till.secret);
    await other.visit('/codes/LEAK-7');
    await other.page.getByText('Anulación').waitFor();
    expect(await other.page.getByText('A printer sent it round').count()).toBe(0);
    await other.close();
  });

  test('a session that ends in the middle of a form keeps what was typed, and goes on after signing in', async () => {
    const { id, secret } = await console.call<{ id: string; secret: string }>('POST', '/v1/api-keys', {
      name: 'Ana',
      role: 'admin',
    });
    const window = await console.openSignedIn({}, secret);
    const { page } = window;
    await window.follow('/books/new');
    await page.getByLabel('Name').fill('Half done');
    await console.call('DELETE', `/v1/api-keys/${id}`);
    // It takes up to five seconds until every process knows.
    const headers = { 'sec-fetch-site': 'same-origin' };
    const isKnown = async () => (await page.request.get(`${console.address}/v1/books?limit=1`, { headers })).ok();
    while (await isKnown()) await sleep(200);
    await page.getByRole('button', { name: 'Make the book' }).click();
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
    await window.inspect('interrupted');
    await page.getByLabel('API key').fill(rootKey);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Half done' }).waitFor();
    await window.close();
  });

  test('a book gets a public code while it is a draft', async () => {
    const { id } = await makeBook('Everybody');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}/rules`);
    await page.getByLabel('Public code').fill('summer20');
    await page.getByRole('button', { name: 'Look at the changes' }).click();
    await page.getByText('Whoever brings this code').waitFor();
    await page.getByRole('button', { name: 'Change the book' }).click();
    await page.getByText('The book is changed.').first().waitFor();
    expect(await console.call('GET', `/v1/books/${id}`)).toMatchObject({ publicCode: 'SUMMER20' });
    await window.close();
  });

  test('of a book with a public code nothing is offered to fill or to void, unless it deals codes of its own', async () => {
    const made = await makeBook('No stock', { publicCode: 'NOSTOCK20', status: 'active' });
    const own = await makeBook('Own stock', { publicCode: 'OWNSTOCK20' });
    await console.call('POST', `/v1/books/${own.id}/codes/generate`, { count: 5, pattern: 'OWN-########' });
    await console.call('PATCH', `/v1/books/${own.id}`, { status: 'active' });
    for (const code of ['NOSTOCK20', 'OWNSTOCK20']) {
      await console.call('POST', `/v1/coupons/${code}/redeem`, { userId: 'ana', reference: 'order-1' });
    }
    const window = await console.openSignedIn();
    const { page } = window;
    const offered = async () => [
      await page.getByRole('button', { name: 'Generate', exact: true }).count(),
      await page.getByRole('button', { name: 'Send the file' }).count(),
      await page.getByRole('button', { name: /^Void what is left/ }).count(),
    ];
    await window.follow(`/books/${made.id}/decks`);
    await page.getByText('whoever brings NOSTOCK20 gets a coupon with a code of its own').waitFor();
    expect(await offered()).toEqual([0, 0, 0]);
    await window.inspect('codes-public');
    await page.getByRole('link', { name: 'Numbers' }).click();
    await page.getByRole('button', { name: 'Redemptions, for finance' }).waitFor();
    // There are ten billion of them.
    expect(await page.getByRole('button', { name: 'Codes with their state' }).count()).toBe(0);
    await window.follow(`/books/${own.id}/decks`);
    await page.getByText('Whoever brings OWNSTOCK20 gets one of these codes.').waitFor();
    expect(await offered()).toEqual([1, 1, 1]);
    await page.getByRole('link', { name: 'Numbers' }).click();
    const left = page.locator('.figures > div', { hasText: 'Left' });
    expect(await left.locator('dd').textContent()).toBe('4');
    await window.close();
  });

  test('a coupon says what its book lets it do, and the question before a close what is lost', async () => {
    const { id } = await makeBook('Half used', { status: 'active' });
    await console.call('POST', `/v1/books/${id}/codes/generate`, { count: 4, pattern: 'HALF-########' });
    const assign = async (userId: string) =>
      (await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId: id, userId })).code;
    const [used, code] = [await assign('ana'), await assign('leo')];
    await console.call('POST', `/v1/coupons/${used}/redeem`, { userId: 'ana', reference: 'order-1' });
    const window = await console.openSignedIn();
    const { page } = window;
    const badge = async () => {
      await window.follow(`/codes/${code}`);
      return page.locator('.page-intro .badge').textContent();
    };
    expect(await badge()).toBe('Ready to use');
    for (const [changes, words] of [
      [{ status: 'paused' }, 'Book is paused'],
      [{ status: 'active', startsAt: '2098-01-01' }, 'Book has not begun'],
      [{ startsAt: null, endsAt: '2020-01-01' }, 'Book has ended'],
    ] as const) {
      await console.call('PATCH', `/v1/books/${id}`, changes);
      expect(await badge()).toBe(words);
    }
    await window.inspect('code-of-an-ended-book');
    await window.follow('/?q=Half+used');
    await page
      .locator('.card')
      .getByText(/^ended .*2020/)
      .waitFor();
    await page.getByRole('meter', { name: '50% of its codes are given out', exact: true }).waitFor();
    await page.locator('.card').getByText('50% of its codes are given out').waitFor();
    await window.follow(`/books/${id}`);
    await page.getByRole('button', { name: 'Close…' }).click();
    await page
      .getByText('2 codes that are left can’t be given out any more. 2 coupons were given out: what is not')
      .waitFor();
    await window.close();
  });

  test('a change of rules says what it means before it is made', async () => {
    const { id } = await makeBook('Rules', { status: 'active', maxRedemptions: 100, maxCodesPerUser: 5 });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}/rules`);
    await page.getByLabel('Codes per user').fill('3');
    await page.getByRole('button', { name: 'Look at the changes' }).click();
    await page.getByText('Users who have more keep what they have, and get no more.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByLabel('Codes per user').fill('9');
    await page.getByLabel('Uses per code').fill('3');
    await page.getByLabel('Uses in total').fill('');
    await page.getByRole('button', { name: 'Look at the changes' }).click();
    await page.getByText('Codes per user: 5 → 9').waitFor();
    await page.getByText('Users who had reached the limit can get more from now on.').waitFor();
    await page.getByText('Uses per code: 1 → 3').waitFor();
    await page.getByText('Uses in total: 100 → no limit').waitFor();
    await window.inspect('rules-preview');
    await page.getByRole('button', { name: 'Change the book' }).click();
    await page.getByText('The book is changed.').first().waitFor();
    expect(await console.call('GET', `/v1/books/${id}`)).toMatchObject({
      maxCodesPerUser: 9,
      maxRedemptionsPerCode: 3,
      maxRedemptions: null,
    });
    await window.close();
  });

  test('a page that is behind says what somebody else has changed, and keeps what was typed', async () => {
    const { id } = await makeBook('Two people', { status: 'active' });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}/rules`);
    await page.getByLabel('Uses per code').fill('2');
    await console.call('PATCH', `/v1/books/${id}`, { maxCodesPerUser: 7 });
    await page.getByRole('button', { name: 'Look at the changes' }).click();
    await page.getByRole('button', { name: 'Change the book' }).click();
    await page.getByText('Codes per user: no limit → 7').waitFor();
    await window.inspect('rules-conflict');
    await page.getByRole('button', { name: 'Keep mine on top of it' }).click();
    await page.getByRole('button', { name: 'Look at the changes' }).click();
    await page.getByRole('button', { name: 'Change the book' }).click();
    await page.getByText('The book is changed.').first().waitFor();
    expect(await console.call('GET', `/v1/books/${id}`)).toMatchObject({
      maxRedemptionsPerCode: 2,
      maxCodesPerUser: 7,
    });
    await window.close();
  });

  test('a book is activated, paused, resumed, extended and closed, the last after its name was typed', async () => {
    const { id } = await makeBook('Life', { timeZone: 'America/New_York', endsAt: '2099-01-01T00:00:00' });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}`);
    const status = async () => (await console.call<{ status: string }>('GET', `/v1/books/${id}`)).status;
    const confirm = async (button: string, action: string) => {
      await page.getByRole('button', { name: button, exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: action }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await confirm('Activate…', 'Activate');
    expect(await status()).toBe('active');
    await confirm('Pause…', 'Pause');
    expect(await status()).toBe('paused');
    await confirm('Resume…', 'Resume');
    await page.getByRole('button', { name: 'Extend the end' }).click();
    expect(await page.getByLabel('New end').inputValue()).toBe('2099-01-01T00:00');
    await page.getByLabel('New end').fill('2098-12-31T00:00');
    await page.locator('.warning', { hasText: 'This is earlier than the end that is set now' }).waitFor();
    await page.getByLabel('New end').fill('2099-02-01T12:00');
    // However the browser shows it: its language need not be the console's.
    await page.getByText('Sunday, 1 February 2099, 12:00 in New York.').waitFor();
    await window.inspect('extend');
    await page.getByRole('dialog').getByRole('button', { name: 'Move the end' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await console.call('GET', `/v1/books/${id}`)).toMatchObject({ endsAt: '2099-02-01T17:00:00.000Z' });
    await page.getByRole('button', { name: 'Extend the end' }).click();
    await page.getByLabel('New end').fill('2020-01-02T00:00');
    await page.locator('.warning', { hasText: 'This moment has passed' }).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Move the end' }).click();
    // It is still called active, and gives out nothing.
    await page.getByText('Ended', { exact: true }).waitFor();
    await page.getByText(/^on 2\s+Jan\s+2020,\s+00:00/).waitFor();
    await page.getByRole('button', { name: 'Close…' }).click();
    await page.getByLabel('Type “Life” to confirm').fill('Life');
    await window.inspect('close-book');
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByText('The book is closed.').first().waitFor();
    expect(await status()).toBe('closed');
    await window.close();
  });

  test('a book’s page follows what happens elsewhere: its numbers, chart, codes, state and buttons', async () => {
    const { id } = await makeBook('Followed', { endsAt: '2099-01-01T00:00:00Z' });
    const generate = (pattern: string) =>
      console.call('POST', `/v1/books/${id}/codes/generate`, { count: 10, pattern });
    const assign = (userId: string) =>
      console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId: id, userId });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}`);
    await page.locator('.button-plain', { hasText: 'Activate' }).waitFor();
    await generate('FLW-########');
    await page.locator('.button-primary', { hasText: 'Activate' }).waitFor();
    await page.getByText('When everything is ready, press Activate').waitFor();
    await console.call('PATCH', `/v1/books/${id}`, { status: 'active' });
    await page.getByText('Nothing happened in this time.').waitFor();
    for (const userId of ['ana', 'leo']) await assign(userId);
    await page.locator('figcaption', { hasText: '2 given out and 0 redeemed' }).waitFor();
    const given = page.locator('.figures > div', { hasText: 'Given out' });
    expect(await given.locator('dd').textContent()).toBe('2');
    await page.getByRole('link', { name: 'Codes', exact: true }).click();
    const rows = page.getByRole('row', { name: /^Generated/ });
    await rows.filter({ has: page.getByRole('cell', { name: '8', exact: true }) }).waitFor();
    const { code } = await assign('eva');
    await rows.filter({ has: page.getByRole('cell', { name: '7', exact: true }) }).waitFor();
    await generate('MORE-########');
    await rows.nth(1).waitFor();
    await window.follow('/?q=Followed');
    await page.locator('.card', { hasText: 'Followed' }).waitFor();
    await console.call('POST', `/v1/coupons/${code}/redeem`, { userId: 'eva', reference: 'order-1' });
    await page.locator('.card').getByText('1 redeemed in the last 24 hours').waitFor();
    await window.close();
  });

  test('what is said of one book does not stand on another page', async () => {
    const { id } = await makeBook('Noted', { status: 'active' });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}`);
    // As long as somebody looks at the page, however slow the machine is.
    await page.evaluate(() => {
      const { setTimeout: later } = globalThis;
      globalThis.setTimeout = ((act: () => void, millis?: number) =>
        later(act, millis === 6_000 ? 3_600_000 : millis)) as typeof setTimeout;
    });
    await page.getByRole('button', { name: 'Pause…', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.locator('.note').getByText('The book is paused.').waitFor();
    await page.getByRole('link', { name: 'Overview' }).first().click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(await page.locator('.note').count()).toBe(0);
    // What led here is said here.
    await page.getByRole('link', { name: 'New book' }).first().click();
    await page.getByLabel('Name').fill('Noted too');
    await page.getByRole('button', { name: 'Make the book' }).click();
    await page.getByRole('heading', { name: 'Noted too' }).waitFor();
    await page.locator('.note').getByText('Noted too').waitFor();
    // The next test has a page whose clock is its own again.
    await window.visit('/');
    await window.close();
  });

  test('finance gets its spreadsheet of redemptions', async () => {
    const { id } = await makeBook('Finance', { status: 'active' });
    await console.call('POST', `/v1/books/${id}/codes/generate`, { count: 10, pattern: 'FIN-########' });
    const { code } = await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId: id, userId: 'u-1' });
    await console.call('POST', `/v1/coupons/${code}/redeem`, { userId: 'u-1', reference: 'order-7' });
    const window = await console.openSignedIn();
    await window.follow(`/books/${id}`);
    const waited = window.page.waitForEvent('download');
    await window.page.getByRole('button', { name: 'Redemptions, for finance' }).click();
    const download = await waited;
    expect(readFileSync(await download.path(), 'utf8')).toContain(`${code}`);
    await window.close();
  });

  test('a report is a chart that the arrow keys read out, with a table of the same numbers', async () => {
    const { id } = await makeBook('Reported', { status: 'active', timeZone: 'Asia/Kolkata' });
    await console.call('POST', `/v1/books/${id}/codes/generate`, { count: 10, pattern: 'RPT-########' });
    for (const userId of ['u-1', 'u-2', 'u-3'])
      await console.call('POST', '/v1/coupons/assign', { bookId: id, userId });
    const isCounted = async () => {
      const { data } = await console.call<{ data: { assigned: number }[] }>('GET', `/v1/books/${id}/report?step=hour`);
      return data.reduce((sum, { assigned }) => sum + assigned, 0) === 3;
    };
    while (!(await isCounted())) await sleep(200);
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}?step=hour&days=1`);
    await page
      .getByText(/3 given out and 0 redeemed/)
      .first()
      .waitFor();
    const plot = page.getByRole('slider');
    await plot.focus();
    await page.keyboard.press('Home');
    expect(await plot.getAttribute('aria-valuetext')).toMatch(/Given out 0/);
    // A pointer reads out the step that it is over, as the keys do.
    await page.keyboard.press('End');
    const last = await plot.getAttribute('aria-valuetext');
    await page.keyboard.press('Home');
    const lines = (await page.locator('.plot-area').boundingBox())!;
    await page.mouse.move(lines.x + lines.width - 1, lines.y + 10);
    expect(await plot.getAttribute('aria-valuetext')).toBe(last);
    await page.getByText('The same as a table').click();
    const cells = await page.locator('.chart tbody td:nth-child(2)').allTextContents();
    expect(cells.reduce((sum, cell) => sum + Number(cell), 0)).toBe(3);
    await window.inspect('report');
    await window.close();
  });

  test('a first run makes a demo book, from which nobody gets a code, and removes it with a click', async () => {
    const { adminKey } = await console.call<{ adminKey: { secret: string } }>('POST', '/v1/tenants', {
      slug: 'first',
      name: 'First run',
    });
    const window = await console.openSignedIn({}, adminKey.secret);
    const { page } = window;
    await window.follow('/');
    await window.inspect('first-run');
    await page.getByRole('button', { name: 'Make a demo book' }).click();
    await page.getByRole('heading', { name: 'This is a demo book' }).waitFor();
    await page.getByText('1,000').first().waitFor();
    await window.inspect('demo-book');
    await page.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByRole('heading', { name: 'Your first book' }).waitFor();
    await window.close();
  });

  test('the keyboard alone leads from the top to a book, and / to the search from anywhere', async () => {
    await makeBook('By keyboard');
    const window = await console.openSignedIn();
    const { page } = window;
    // Loaded, so that the first Tab is from the top.
    await window.visit('/?q=By+keyboard');
    await page.getByRole('link', { name: 'By keyboard' }).first().waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    // How many links stand before it depends on what needs attention just now.
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    for (let tabs = 0; tabs < 60 && (await focused()) !== 'By keyboard'; tabs += 1) await page.keyboard.press('Tab');
    expect(await focused()).toBe('By keyboard');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'By keyboard', level: 1 }).waitFor();
    // Whoever does not see it hears where they are.
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('search');
    await page.keyboard.type('no such code');
    await page.keyboard.press('Enter');
    await page.getByText('There is no code “no such code”').waitFor();
    await window.close();
  });

  // These close their page, as nobody may have it after them: what comes next would open a new one.
  test('a connection that is lost after the server was done is said, and the repeat does nothing twice', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/books/new');
    const sent = await loseAnswer(page, '**/v1/books');
    await page.getByLabel('Name').fill('Once only');
    await page.getByRole('button', { name: 'Make the book' }).click();
    await page.getByText('No connection to the server').first().waitFor();
    sent.letRepeatThrough();
    await page.getByRole('heading', { name: 'Once only' }).waitFor();
    const { data } = await console.call<{ data: unknown[] }>('GET', '/v1/books?q=Once');
    expect([sent.keys.length, data.length]).toEqual([2, 1]);
    await page.close();
  });

  test('language and colours that were chosen are there at the next visit, before anything is drawn', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/');
    await page.getByRole('button', { name: 'root' }).click();
    await page.getByLabel('Colours').selectOption('Dark');
    await page.getByLabel('Language').selectOption('Español');
    await page.getByRole('heading', { name: 'Resumen' }).waitFor();
    // Without the pages' own script, all there is comes from the one before it.
    await page.route('**/main-*.js', (route) => route.abort());
    await page.reload();
    const { lang, theme } = await page.evaluate(() => ({
      lang: document.documentElement.lang,
      theme: document.documentElement.dataset.theme,
    }));
    expect([lang, theme]).toEqual(['es', 'dark']);
    await page.close();
  });
});
