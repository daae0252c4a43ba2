import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allIfLong } from '../support/long-run.ts';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { holdRequest } from './support/hold-request.ts';
import { loseAnswer } from './support/lose-answer.ts';
import { rootKey, startConsole, type TestConsole } from './support/start-console.ts';

/** Texts as customers and attackers have them, each as long as an id may be where that is the point: 128 characters. */
const names = {
  markup: '<img src=x onerror=alert(1)>"\'&amp;{{7*7}}',
  'right to left': 'عميل ‎(42) عبد الله',
  'right to left, without a space': 'العميلالدائم'.repeat(10),
  'many emoji': '🎟️'.repeat(60) + '😀'.repeat(8),
  'families of emoji': '👩‍👩‍👧‍👦'.repeat(18),
  'combining marks': 'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘'.normalize('NFC').slice(0, 128),
  'one long word': 'W'.repeat(128),
  'a path': '../../books?x=1#y/%2e%2e',
};

describeInBrowser('bad input and bad luck', () => {
  let console: TestConsole;
  beforeAll(async () => {
    console = await startConsole('console_bad_input');
  });
  afterAll(() => console?.close());

  const makeBook = async (name: string, more: object = {}) =>
    (await console.call<{ id: string }>('POST', '/v1/books', { name, status: 'active', ...more })).id;
  const fill = (bookId: string, prefix: string) =>
    console.call('POST', `/v1/books/${bookId}/codes/generate`, { count: 20, pattern: `${prefix}-########` });
  const assign = async (bookId: string, userId: string) =>
    (await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId, userId })).code;

  const shown = ['families of emoji', 'one long word', 'a path'];
  test.each(allIfLong(Object.entries(names), ([kind]) => shown.includes(kind)))(
    'a user and a book with %s in the name are found and shown as they are',
    async (_of, name) => {
      const bookId = await makeBook(name, { maxRedemptionsPerCode: 2 });
      await fill(bookId, `N${Object.values(names).indexOf(name)}`);
      const code = await assign(bookId, name);
      await console.call('POST', `/v1/coupons/${code}/redeem`, { userId: name, reference: name });
      const window = await console.openSignedIn({ width: 320 });
      const { page } = window;
      await window.follow('/');
      await page.getByRole('searchbox', { name: 'Find a code or a user' }).fill(name);
      await page.keyboard.press('Enter');
      await page.getByRole('link', { name: code }).waitFor();
      expect(await page.locator('h1').textContent()).toBe(`User ${name}`);
      await window.look('user-of-any-name');
      await page.getByRole('link', { name: code }).click();
      await page.getByRole('heading', { name: `Code ${code}` }).waitFor();
      await page.getByRole('link', { name, exact: true }).first().waitFor();
      await window.look('code-of-any-name');
      await page.getByRole('button', { name: 'Give to another user' }).click();
      await page.getByLabel('The other user’s id').fill(name);
      await window.look('question-about-any-name');
      await window.follow(`/redemptions?${new URLSearchParams({ userId: name })}`);
      await page.getByRole('cell', { name, exact: true }).first().waitFor();
      await window.look('redemptions-of-any-name');
      // As a table, which is scrolled by itself.
      await page.setViewportSize({ width: 768, height: 1024 });
      await window.look('redemptions-of-any-name-as-a-table');
      await page.setViewportSize({ width: 320, height: 640 });
      for (const part of ['decks', 'rules', '']) {
        await window.follow(`/books/${bookId}/${part}`);
        await window.look(`book-of-any-name-${part}`);
      }
      await page.getByRole('button', { name: 'Close…' }).click();
      await page.getByLabel(/^Type “/).fill(name);
      await window.look('question-with-any-name');
      await page.keyboard.press('Escape');
      expect(await page.locator('h1').textContent()).toBe(name);
      expect(await page.locator('main img').count()).toBe(0);
      await window.close();
    },
  );

  test('a number with marks between thousands is one, and one with a fraction is refused beside its field', async () => {
    const id = await makeBook('Numbers');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}/rules`);
    await page.getByLabel('Uses in total').fill('1.5');
    await page.getByRole('button', { name: 'Look at the changes' }).click();
    await page.locator('.field-error').waitFor();
    expect(await page.getByRole('button', { name: 'Change the book' }).count()).toBe(0);
    await page.getByLabel('Uses in total').fill('12,000');
    await page.getByRole('button', { name: 'Look at the changes' }).click();
    await page.getByRole('button', { name: 'Change the book' }).click();
    await page.getByText('The book is changed.').first().waitFor();
    expect(await console.call('GET', `/v1/books/${id}`)).toMatchObject({ maxRedemptions: 12_000 });
    await window.close();
  });

  test('two clicks on what can be done once do it once', async () => {
    const id = await makeBook('Clicked twice', { maxRedemptionsPerCode: 2 });
    await fill(id, 'TWICE');
    const code = await assign(id, 'ana');
    for (const reference of ['order-1', 'order-2'])
      await console.call('POST', `/v1/coupons/${code}/redeem`, { userId: 'ana', reference });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/codes/${code}`);
    await page.getByRole('button', { name: 'Give one use back' }).waitFor();
    // What is used up, the server gives to nobody.
    expect(await page.getByRole('button', { name: 'Give to another user' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Give one use back' }).click();
    await page.getByLabel('Which use').selectOption({ index: 1 });
    // The answer waits until both clicks were made: the second one finds the first under way.
    const giving = await holdRequest(page, '**/reverse', 'POST');
    await page.getByRole('dialog').getByRole('button', { name: 'Give one use back' }).dblclick();
    giving.letGo();
    await page.getByText('One use was given back.').waitFor();
    const { data } = await console.call<{ data: { reference: string; reversedAt: string | null }[] }>(
      'GET',
      `/v1/redemptions?code=${code}`,
    );
    expect(data.filter(({ reversedAt }) => reversedAt !== null).map(({ reference }) => reference)).toEqual(['order-1']);
    await window.follow(`/books/${id}/decks`);
    await page.getByLabel('How many').fill('7');
    await page.getByLabel('How a code looks').fill('CLICK-########');
    const generating = await holdRequest(page, '**/codes/generate', 'POST');
    await page.getByRole('button', { name: 'Generate', exact: true }).dblclick();
    generating.letGo();
    await page.locator('.outcome').waitFor();
    expect(await console.call('GET', `/v1/books/${id}`)).toMatchObject({ counts: { codes: 27 } });
    await window.close();
  });

  test('a stale tab’s pause, end and close say what somebody else has changed, and are for the book as it is now', async () => {
    const id = await makeBook('Stale', { endsAt: '2099-01-01T00:00:00Z' });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${id}`);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Extend the end' }).click();
    await console.call('PATCH', `/v1/books/${id}`, { status: 'paused', maxCodesPerUser: 5 });
    await page.getByLabel('New end').fill('2099-05-01T00:00');
    await page.getByRole('button', { name: 'Move the end' }).click();
    await dialog.getByText('State: Active → Paused').waitFor();
    await dialog.getByText('Codes per user: no limit → 5').waitFor();
    await window.inspect('stale-extend');
    expect(await page.getByLabel('New end').inputValue()).toBe('2099-05-01T00:00');
    await page.getByRole('button', { name: 'Move the end' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Close…' }).click();
    await console.call('PATCH', `/v1/books/${id}`, { maxCodesPerUser: 6 });
    await page.getByLabel('Type “Stale” to confirm').fill('Stale');
    await page.keyboard.press('Enter');
    await dialog.getByText('Codes per user: 5 → 6').waitFor();
    expect(await console.call('GET', `/v1/books/${id}`)).toMatchObject({
      status: 'paused',
      endsAt: '2099-05-01T00:00:00.000Z',
    });
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByText('The book is closed.').first().waitFor();
    await window.close();
  });

  test('a key that is revoked in the middle costs nothing of what was typed, nor of what is asked', async () => {
    const key = { name: 'Short-lived', role: 'admin' };
    const { id: keyId, secret } = await console.call<{ id: string; secret: string }>('POST', '/v1/api-keys', key);
    const id = await makeBook('Revoked');
    await fill(id, 'RVKD');
    const code = await assign(id, 'ana');
    const window = await console.openSignedIn({}, secret);
    const { page } = window;
    await window.follow(`/codes/${code}`);
    await page.getByRole('button', { name: 'Give to another user' }).click();
    await page.getByLabel('The other user’s id').fill('leo');
    await page.getByLabel(/Reason/).fill('Wrong account');
    await console.call('DELETE', `/v1/api-keys/${keyId}`);
    // It takes up to five seconds until every process knows.
    const headers = { 'sec-fetch-site': 'same-origin' };
    const isKnown = async () => (await page.request.get(`${console.address}/v1/books?limit=1`, { headers })).ok();
    while (await isKnown()) await sleep(200);
    await page.getByRole('dialog').getByRole('button', { name: 'Give to another user' }).click();
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
    expect(await page.getByLabel('The other user’s id').inputValue()).toBe('leo');
    await page.getByLabel('API key').fill(rootKey);
    await page.keyboard.press('Enter');
    await page.getByText('Went from ana to leo. Reason: Wrong account').waitFor();
    await page.getByText('by root').first().waitFor();
    await window.close();
  });

  test('where nothing fits what was typed, the page says what to do, and which books are called so', async () => {
    await makeBook('Spring fair');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/find?q=');
    await page.getByText('Type a code or a user’s id').waitFor();
    await window.follow('/find?q=spring');
    await page.getByRole('link', { name: 'Spring fair' }).waitFor();
    await window.inspect('find-books');
    await window.close();
  });

  // It closes its page, as nobody may have it afterwards: what comes next would open a new one.
  test('an answer that is lost is said, and the same request is sent again under its key', async () => {
    const id = await makeBook('Lost answers');
    await fill(id, 'LOST');
    const code = await assign(id, 'ana');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/codes/${code}`);
    const sent = await loseAnswer(page, '**/transfer');
    await page.getByRole('button', { name: 'Give to another user' }).click();
    await page.getByLabel('The other user’s id').fill('leo');
    await page.getByRole('dialog').getByRole('button', { name: 'Give to another user' }).click();
    await page.getByText('No connection to the server').first().waitFor();
    sent.letRepeatThrough();
    await page.getByText('Went from ana to leo.').waitFor();
    expect(await page.getByText('No connection to the server').locator('visible=true').count()).toBe(0);
    expect(sent.keys).toEqual([sent.keys[0], sent.keys[0]]);
    expect(sent.keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    await page.unrouteAll();
    await window.follow(`/books/${id}/decks`);
    const file = join(tmpdir(), `lost-${process.pid}.csv`);
    writeFileSync(file, 'code\nLOST-A-0001\nLOST-A-0002\n');
    const uploaded = await loseAnswer(page, `**/v1/books/${id}/codes?name=*`);
    uploaded.letRepeatThrough();
    await page.getByLabel('Choose a file').setInputFiles(file);
    await page.getByRole('button', { name: 'Send the file' }).click();
    await page.getByText('2 codes are in the book now.').first().waitFor();
    expect(uploaded.keys).toEqual([uploaded.keys[0], uploaded.keys[0]]);
    expect(await console.call('GET', `/v1/books/${id}`)).toMatchObject({ counts: { codes: 22 } });
    // The browser's log has the lost answers, as it must.
    await page.close();
  });
});
