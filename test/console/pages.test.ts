import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allIfLong } from '../support/long-run.ts';
import { findBarriers } from './support/barriers.ts';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { languages, themes, widths } from './support/looks.ts';
import { isInspected, lookOrInspect } from './support/open-window.ts';
import { rootKey, startConsole, type TestConsole } from './support/start-console.ts';

/** Hostile and foreign text, as people and attackers put it into names. */
const hostileName = '<img src=x onerror=alert(1)> عرض الصيف 🎟️';

describeInBrowser('the console’s pages', () => {
  let console: TestConsole;
  const books: Record<string, { id: string }> = {};
  let webhookId = '';
  beforeAll(async () => {
    console = await startConsole('console_pages');
    const make = async (name: string, more: object, count = 0) => {
      const book = await console.call<{ id: string }>('POST', '/v1/books', { name, ...more });
      if (count > 0)
        await console.call('POST', `/v1/books/${book.id}/codes/generate`, {
          count,
          pattern: `B${Object.keys(books).length}-########`,
        });
      books[name] = book;
      return book;
    };
    await make(
      'Verano 2026',
      { status: 'active', timeZone: 'America/Argentina/Buenos_Aires', endsAt: '2099-03-01' },
      20,
    );
    const { id } = books['Verano 2026']!;
    for (let user = 0; user < 19; user += 1)
      await console.call('POST', '/v1/coupons/assign', { bookId: id, userId: `u-${user}` });
    await make('Winter sale', { status: 'active' }, 1_000_000);
    await make('VIP launch', {});
    await make(hostileName, { status: 'active' });
    webhookId = (
      await console.call<{ id: string }>('POST', '/v1/webhooks', {
        url: `https://shop.example/${'a-long-path/'.repeat(12)}`,
        events: ['coupon.redeemed'],
        description: hostileName,
      })
    ).id;
    await console.call('POST', `/v1/jobs?kind=export-codes&bookId=${id}`);
  });
  afterAll(() => console?.close());

  const pages: [string, () => string][] = [
    ['overview', () => '/'],
    ['overview-filtered', () => '/?status=closed'],
    ['new-book', () => '/books/new'],
    ['book', () => `/books/${books['Verano 2026']!.id}`],
    ['book-codes', () => `/books/${books['Winter sale']!.id}/decks`],
    ['book-rules', () => `/books/${books['Verano 2026']!.id}/rules`],
    ['jobs', () => '/jobs'],
    ['webhooks', () => '/webhooks'],
    ['webhook', () => `/webhooks/${webhookId}`],
    ['health', () => '/server-health'],
    ['not-found', () => '/nowhere'],
    ['book-missing', () => '/books/nothing'],
    ['find-nothing', () => '/find?q=NOTHING-HERE'],
  ];
  const looks = themes.flatMap((theme) => widths.map((width, at) => ({ theme, width, language: languages[at % 2]! })));

  test.each(allIfLong(looks, isInspected))(
    'have no barrier, no foreign request and no violation ($theme, $width, $language)',
    async (look) => {
      const window = await console.openSignedIn(look);
      for (const [name, path] of pages) {
        await window.follow(path());
        await lookOrInspect(window, look, name);
      }
      await window.close();
    },
  );

  test('a page with a barrier is found to have it', async () => {
    const window = await console.openSignedIn();
    await window.follow('/');
    expect(await findBarriers(window.page)).toEqual([]);
    const image = await window.page.evaluateHandle(() => {
      const added = new Image();
      document.querySelector('main')!.append(added);
      return added;
    });
    expect(await findBarriers(window.page)).toEqual([expect.stringContaining('image-alt')]);
    await image.evaluate((added) => added.remove());
    await window.close();
  });

  test('somebody signs in by a key, and is where they wanted to be', async () => {
    const window = await console.open();
    await window.visit('/books/new');
    await window.inspect('sign-in');
    await window.page.getByLabel('API key').fill('qk_not-a-key-of-anybody');
    await window.page.getByRole('button', { name: 'Sign in' }).click();
    await window.page.getByText('This key is not known').waitFor();
    await window.inspect('sign-in-refused');
    await window.page.getByLabel('API key').fill(rootKey);
    await window.page.keyboard.press('Enter');
    await window.page.getByRole('heading', { name: 'New book' }).waitFor();
    await window.close();
  });

  const longNames: [string, string][] = [
    ['one long word', `${'W'.repeat(170)}${'🎟️'.repeat(10)}`],
    ['right to left', 'العروضالصيفية'.repeat(14)],
    ['combining marks', 'Ż̸̴̢͖͓̖͔̐̇̈́a̵̛͎l̷̓ģ̴ö̵́ '.repeat(6)],
  ];
  // Nothing is wider than the one word, and the other direction is what may leave the screen at its other side.
  test.each(allIfLong(longNames, ([kind]) => kind !== 'combining marks'))(
    'names stay within the narrowest screen, wherever they stand: %s',
    async (_of, name) => {
      const { adminKey } = await console.call<{ adminKey: { secret: string } }>('POST', '/v1/tenants', {
        slug: `long-names-${name.length}`,
        name: name.slice(0, 60).trim(),
      });
      const root = adminKey.secret;
      const key = { name: name.slice(0, 100).trim(), role: 'admin' };
      const { secret } = await console.call<{ secret: string }>('POST', '/v1/api-keys', key, root);
      const terms = { name: name.trim(), description: name, endsAt: '2099-01-01', status: 'active' };
      const { id } = await console.call<{ id: string }>('POST', '/v1/books', terms, secret);
      const webhook = { url: `https://shop.example/${'x'.repeat(200)}`, events: ['job.finished'], description: name };
      const { id: webhookOfName } = await console.call<{ id: string }>('POST', '/v1/webhooks', webhook, secret);
      await console.call('POST', `/v1/jobs?kind=export-codes&bookId=${id}`, undefined, secret);
      const window = await console.openSignedIn({ width: 320 }, secret);
      const { page } = window;
      for (const path of [
        '/',
        `/books/${id}`,
        `/books/${id}/rules`,
        '/jobs',
        '/webhooks',
        `/webhooks/${webhookOfName}`,
        '/keys',
        '/redemptions',
      ]) {
        await window.follow(path);
        await window.look(`long-names${path.replaceAll('/', '-')}`);
      }
      await page.locator('.menu > button').click();
      await window.look('long-names-menu');
      await window.follow(`/books/${id}`);
      await page.getByRole('button', { name: 'Close…' }).click();
      await window.look('long-names-dialog');
      await window.close();
    },
  );

  test('markup in a name is text wherever the name is shown', async () => {
    const window = await console.openSignedIn();
    await window.follow(`/books/${books[hostileName]!.id}`);
    expect(await window.page.locator('h1').textContent()).toBe(hostileName);
    expect(await window.page.locator('main img').count()).toBe(0);
    await window.close();
  });
});
