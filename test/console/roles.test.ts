import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeSignInLink } from '../../core/index.ts';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { startConsole, type TestConsole } from './support/start-console.ts';

describeInBrowser('what a role may not do', () => {
  let console: TestConsole;
  let bookId = '';
  const keys: Record<string, string> = {};
  beforeAll(async () => {
    console = await startConsole('console_roles');
    bookId = (await console.call<{ id: string }>('POST', '/v1/books', { name: 'Ours', status: 'active' })).id;
    for (const role of ['operator', 'redeemer']) {
      const key = await console.call<{ secret: string }>('POST', '/v1/api-keys', { name: role, role });
      keys[role] = key.secret;
    }
  });
  afterAll(() => console?.close());

  test('an operator is shown no change of a book, and its address leads to none', async () => {
    const window = await console.openSignedIn({}, keys.operator!);
    const { page } = window;
    await window.follow('/');
    expect(await page.getByRole('link', { name: 'New book' }).count()).toBe(0);
    await window.follow('/books/new');
    await page.getByRole('heading', { name: 'This page is not for your role' }).waitFor();
    await window.inspect('forbidden');
    await window.follow(`/books/${bookId}/rules`);
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Look at the changes' }).count()).toBe(0);
    await page.getByText('Codes per user', { exact: true }).waitFor();
    expect(await page.getByRole('main').getByRole('textbox').count()).toBe(0);
    await window.inspect('rules-read-only');
    // By hand, from the console's own page with its cookie.
    const status = await page.evaluate(async (id) => {
      const body = JSON.stringify({ status: 'closed' });
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`/v1/books/${id}`, { method: 'PATCH', headers, body })).status;
    }, bookId);
    expect(status).toBe(403);
    await window.close();
  });

  test('a redeemer finds codes, and nothing else', async () => {
    const window = await console.openSignedIn({}, keys.redeemer!);
    const { page } = window;
    for (const path of ['/', '/books/new', `/books/${bookId}`]) {
      await window.follow(path);
      await page.getByText('it can look codes up and nothing else').waitFor();
    }
    await page.getByRole('searchbox').fill('no-such-code');
    await page.keyboard.press('Enter');
    await page.getByText('There is no code “no-such-code”').waitFor();
    await window.inspect('redeemer');
    await window.close();
  });

  test('a redeemer is told why a code would be refused, of whose book nothing is shown', async () => {
    const make = async (more: object) => {
      const { id } = await console.call<{ id: string }>('POST', '/v1/books', { name: 'Hidden', ...more });
      return id;
    };
    const terms = { status: 'active', requireLock: true };
    const own = await make(terms);
    await console.call('POST', `/v1/books/${own}/codes`, { codes: ['HELD-1', 'FREE-1'] });
    await console.call('POST', '/v1/coupons/HELD-1/assign', { userId: 'ana' });
    const open = await make({ publicCode: 'OPEN20' });
    await console.call('PATCH', `/v1/books/${open}`, { status: 'active' });
    const window = await console.openSignedIn({}, keys.redeemer!);
    const { page } = window;
    const told = async (code: string, words: string) => {
      await window.follow(`/codes/${code}`);
      await page.locator('.page-intro').getByText(words).waitFor();
    };
    // A checkout takes the lock that the book wants by itself.
    await told('HELD-1', 'It can be used now');
    await told('FREE-1', 'Nobody has been given this code, so nobody can use it.');
    await told('OPEN20', 'whoever brings it gets a coupon');
    for (const id of [own, open]) await console.call('PATCH', `/v1/books/${id}`, { status: 'paused' });
    await told('HELD-1', 'It would be refused at this moment. The book is not active.');
    await told('OPEN20', 'It would be refused at this moment. The book is not active.');
    await window.inspect('code-refused');
    expect(await page.getByText('Hidden').count()).toBe(0);
    // Nothing was given out by asking.
    expect(await console.call('GET', `/v1/books/${open}`)).toMatchObject({ counts: { assigned: 0 } });
    await window.close();
  });

  test('whoever signs out leaves nothing behind in the browser that opens a page again', async () => {
    const window = await console.openSignedIn({}, keys.operator!);
    const { page } = window;
    await window.follow('/');
    await page.getByRole('button', { name: 'operator' }).click();
    await window.inspect('account-menu');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goBack();
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain('qk_');
    await window.close();
  });

  test('a link of a start signs in once, and its secret stands in no address after it', async () => {
    const secret = await makeSignInLink(console.core);
    const window = await console.open();
    const { page } = window;
    await window.follow(`/enter#${secret}`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(page.url()).toBe(`${console.address}/console`);
    await window.close();
    const another = await console.open();
    await another.visit(`/enter#${secret}`);
    await another.page.getByText('This link was used before').waitFor();
    await another.close();
  });
});
