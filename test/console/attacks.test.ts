import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page, Response } from 'playwright-core';
import { makeSignInLink } from '../../core/index.ts';
import { allIfLong } from '../support/long-run.ts';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { rootKey, startConsole, type TestConsole } from './support/start-console.ts';

/** Runs where it becomes markup: in a text, in an attribute, and in a script. */
const markup = '<img src=x onerror=alert(1)>"\'><script>alert(2)</script>';

describeInBrowser('an attack by way of a browser, and what a role may not do', () => {
  let console: TestConsole;
  let bookId = '';
  /** Serves the attacker's pages, on a port of its own. */
  let attacker: Server;
  let attackersPort = 0;
  /** By their role. */
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    console = await startConsole('console_attacks');
    bookId = (await console.call<{ id: string }>('POST', '/v1/books', { name: 'Ours', status: 'active' })).id;
    await console.call('POST', `/v1/books/${bookId}/codes/generate`, { count: 50, pattern: 'OURS-########' });
    for (const role of ['operator', 'redeemer']) {
      const key = await console.call<{ secret: string }>('POST', '/v1/api-keys', { name: role, role });
      keys[role] = key.secret;
    }
    attacker = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>A game</title><h1>A game</h1>');
    });
    await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve));
    attackersPort = (attacker.address() as AddressInfo).port;
  });
  afterAll(async () => {
    attacker?.close();
    await console?.close();
  });

  const bookNames = async () => {
    const { data } = await console.call<{ data: { name: string; status: string }[] }>('GET', '/v1/books?limit=1000');
    return data.map(({ name, status }) => `${name}: ${status}`);
  };

  // To a browser another port is another origin of the same site, and another name another site.
  const origins: [string, string][] = [
    ['another site', 'localhost'],
    ['another port of the same machine', '127.0.0.1'],
  ];

  /** Whose cookies are with what comes from the one port as from the other: what is sent there says most. */
  const telling = allIfLong(origins, ([kind]) => kind !== 'another site');

  /** Somebody who is signed in to the console, whom all the attackers get to see. */
  let victim: Page | null = null;

  /** The page of an attacker, in the browser of somebody who is signed in to the console. */
  async function visitAttacker(host: string): Promise<Page> {
    victim ??= (await console.openSignedIn()).page;
    await victim.goto(`http://${host}:${attackersPort}/`);
    return victim;
  }

  test.each(origins)('a page of %s changes nothing and reads nothing by scripts', async (_of, host) => {
    const before = await bookNames();
    const page = await visitAttacker(host);
    // What its page may not read, the browser's own log does say.
    const statuses: number[] = [];
    const note = (response: Response) => {
      if (response.url().startsWith(console.address)) statuses.push(response.status());
    };
    page.on('response', note);
    const outcomes = await page.evaluate(
      async ({ address, id }) => {
        const send = async (path: string, init: RequestInit) => {
          try {
            const response = await fetch(address + path, { credentials: 'include', ...init });
            // Of an opaque answer nothing can be read; whether something was changed is asked of the server.
            return response.type === 'opaque' ? 'unreadable' : `read: ${response.status} ${await response.text()}`;
          } catch {
            return 'refused';
          }
        };
        const json = { 'content-type': 'application/json' };
        const body = JSON.stringify({ name: 'Forged', status: 'closed' });
        return Promise.all([
          send('/v1/books', {}),
          send('/console/session', {}),
          send('/v1/books', { mode: 'no-cors' }),
          send('/v1/books', { method: 'POST', headers: json, body }),
          send('/v1/books', { method: 'POST', mode: 'no-cors', body }),
          send(`/v1/books/${id}`, { method: 'PATCH', headers: json, body }),
          send(`/v1/books/${id}`, { method: 'DELETE' }),
          send('/console/session', { method: 'DELETE' }),
          send('/console/sessions', { method: 'DELETE' }),
        ]);
      },
      { address: console.address, id: bookId },
    );
    page.off('response', note);
    expect(outcomes.filter((outcome) => outcome.startsWith('read'))).toEqual([]);
    expect(statuses.length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status < 400)).toEqual([]);
    expect(await bookNames()).toEqual(before);
    await expectSignedIn(page);
  });

  test.each(telling)('a form of %s that is sent off by itself changes nothing', async (_of, host) => {
    const before = await bookNames();
    const page = await visitAttacker(host);
    for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const answered = page.waitForResponse((response) => response.url().endsWith('/v1/books'));
      await page.evaluate(
        ({ address, type }) => {
          const form = document.createElement('form');
          form.method = 'post';
          form.enctype = type;
          form.action = `${address}/v1/books`;
          const field = document.createElement('input');
          // As text/plain this is `{"name":"Forged","x":"="}`, which is JSON.
          field.name = '{"name":"Forged","x":"';
          field.value = '"}';
          form.append(field);
          document.body.append(form);
          form.submit();
        },
        { address: console.address, type: enctype },
      );
      expect([enctype, (await answered).status() >= 400]).toEqual([enctype, true]);
      await page.waitForURL(`${console.address}/v1/books`);
      await page.goto(`http://${host}:${attackersPort}/`);
    }
    expect(await bookNames()).toEqual(before);
    await expectSignedIn(page);
  });

  /** The session of whoever was attacked goes on as it was. */
  async function expectSignedIn(page: Page): Promise<void> {
    await page.goto(`${console.address}/console`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  }

  test.each(telling)(
    'no page of the console is shown in a frame of %s, where clicks could be stolen',
    async (_of, host) => {
      const page = await visitAttacker(host);
      await page.evaluate(
        async ({ own, paths }) => {
          const load = (address: string) =>
            new Promise<void>((resolve) => {
              const frame = document.createElement('iframe');
              frame.onload = () => resolve();
              frame.src = address;
              document.body.append(frame);
            });
          await Promise.all([own, ...paths].map(load));
        },
        {
          own: `http://${host}:${attackersPort}/`,
          paths: ['', `/books/${bookId}`, '/keys', '/enter'].map((path) => `${console.address}/console${path}`),
        },
      );
      const frames = page.frames().slice(1);
      const seen = (selector: string) => Promise.all(frames.map((frame) => frame.locator(selector).count()));
      // The attacker's own page is shown in its frame, so the others would be seen if they were.
      expect(frames).toHaveLength(5);
      expect((await seen('h1:text-is("A game")')).filter((count) => count > 0)).toEqual([1]);
      expect((await seen('#console')).filter((count) => count > 0)).toEqual([]);
    },
  );

  test('a session that an attacker has planted before the sign-in is nobody’s after it', async () => {
    const planted = 'P'.repeat(43);
    const key = { name: 'Attacker', role: 'redeemer' };
    const { secret } = await console.call<{ secret: string }>('POST', '/v1/api-keys', key);
    const attackers = await console.openSignedIn({}, secret);
    const [theirs] = await attackers.page.context().cookies();
    const victims = await console.open();
    const { page } = victims;
    for (const value of [planted, theirs!.value]) {
      await page.context().addCookies([{ name: theirs!.name, value, url: console.address }]);
      await victims.visit('/');
      const answer = await page.request.post(`${console.address}/console/session`, {
        headers: { 'sec-fetch-site': 'same-origin', origin: console.address },
        data: { key: rootKey },
      });
      expect(answer.status()).toBe(200);
      const [after] = await page.context().cookies();
      expect(after!.value).not.toBe(value);
    }
    // The attacker's own session ended with the sign-in that replaced it, and is not the victim's.
    await attackers.visit('/');
    await attackers.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    const guest = await console.open();
    await guest.page.context().addCookies([{ name: theirs!.name, value: planted, url: console.address }]);
    await guest.visit('/');
    await guest.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    for (const window of [attackers, victims, guest]) await window.close();
  });

  test('no script can take the session, and a copy of its cookie is worth nothing after the sign-out', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/');
    const [cookie] = await page.context().cookies();
    expect([cookie!.httpOnly, cookie!.sameSite]).toEqual([true, 'Strict']);
    const kept = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }));
    expect(kept).not.toContain(cookie!.value);
    expect(await page.content()).not.toContain(cookie!.value);
    const thief = await console.open();
    await thief.page.context().addCookies([{ name: cookie!.name, value: cookie!.value, url: console.address }]);
    await page.getByRole('button', { name: 'root' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await thief.visit('/');
    await thief.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await thief.close();
    await window.close();
  });

  test('markup in any text that somebody can store is text on every page', async () => {
    const stored = await storeMarkup();
    const window = await console.openSignedIn({}, stored.key);
    const { page } = window;
    const opened: string[] = [];
    page.on('dialog', (dialog) => {
      opened.push(dialog.message());
      void dialog.dismiss();
    });
    const user = encodeURIComponent(markup);
    // Where each is shown, and how often at least.
    const pages: [string, number][] = [
      ['/', 1],
      [`/?q=${user}`, 1],
      [`/books/${stored.bookId}`, 1],
      [`/books/${stored.bookId}/rules`, 1],
      // Besides the book's, the name of a list and why it is void.
      [`/books/${stored.bookId}/decks`, 3],
      // Whose it is, who did it, why, what it was used for: of each event.
      [`/codes/${stored.code}`, 6],
      [`/codes/${stored.voided}`, 2],
      ['/codes/MARKED-1', 3],
      [`/users/${user}`, 2],
      ['/redemptions', 2],
      [`/redemptions?userId=${user}&reference=${user}&code=${user}`, 0],
      ['/jobs', 1],
      ['/webhooks', 1],
      [`/webhooks/${stored.webhookId}`, 0],
      ['/keys', 1],
      [`/find?q=${user}`, 1],
      [`/codes/${user}`, 1],
      [`/webhooks/${user}`, 0],
      [`/${user}`, 0],
    ];
    for (const [path, least] of pages) {
      await window.follow(path);
      // Names of books come after the rows that are of them.
      const isShown = ({ text, count }: { text: string; count: number }) =>
        document.body.innerText.split(text).length - 1 >= count;
      await page.waitForFunction(isShown, { text: markup, count: least }, { polling: 50 });
      const made = await page.locator('main img, body script, main [onerror]').count();
      expect([path, made]).toEqual([path, 0]);
    }
    await window.follow(`/books/${stored.bookId}/rules`);
    expect(await page.getByLabel('Notes').inputValue()).toBe(markup);
    await page.locator('.menu > button').click();
    await page.getByText(`organisation ${markup}`).waitFor();
    expect(opened).toEqual([]);
    // The policy was not even needed: nothing of it became an element that it could have refused.
    await window.close();
  });

  /** Writes markup into every text that the API stores, in a tenant whose name is markup too. */
  async function storeMarkup() {
    const made = await console.call<{ adminKey: { secret: string } }>('POST', '/v1/tenants', {
      slug: 'markup',
      name: markup,
    });
    const admin = made.adminKey.secret;
    const call = <T = Record<string, unknown>>(method: string, path: string, body?: unknown) =>
      console.call<T>(method, path, body, key);
    const named = { name: markup, role: 'admin' };
    const { secret: key } = await console.call<{ secret: string }>('POST', '/v1/api-keys', named, admin);
    const terms = { name: markup, description: markup, status: 'active', maxRedemptionsPerCode: 3 };
    const { id } = await call<{ id: string }>('POST', '/v1/books', { ...terms, metadata: { note: markup } });
    await call('POST', `/v1/books/${id}/codes/generate`, { count: 20, pattern: 'MARK-########' });
    const listed = { codes: ['MARKED-1', 'MARKED-2'] };
    const list = await call<{ deckId: string }>(
      'POST',
      `/v1/books/${id}/codes?name=${encodeURIComponent(markup)}`,
      listed,
    );
    await call('POST', `/v1/books/${id}/decks/${list.deckId}/void`, { reason: markup });
    const assign = async () =>
      (await call<{ code: string }>('POST', '/v1/coupons/assign', { bookId: id, userId: markup })).code;
    const [code, voided] = [await assign(), await assign()];
    await call('POST', `/v1/coupons/${code}/lock`, { userId: markup });
    await call('POST', `/v1/coupons/${code}/unlock`, { force: true, reason: markup });
    const use = { userId: markup, reference: markup, metadata: { note: markup } };
    const { redemption } = await call<{ redemption: { id: string } }>('POST', `/v1/coupons/${code}/redeem`, use);
    await call('POST', `/v1/redemptions/${redemption.id}/reverse`, { reason: markup });
    await call('POST', `/v1/coupons/${code}/redeem`, use);
    await call('POST', `/v1/coupons/${code}/transfer`, { userId: `${markup}2`, reason: markup });
    await call('POST', `/v1/coupons/${code}/transfer`, { userId: markup, reason: markup });
    await call('POST', `/v1/coupons/${voided}/void`, { reason: markup });
    await call('POST', `/v1/jobs?kind=export-codes&bookId=${id}`);
    const webhook = { url: `https://shop.example/${markup}?${markup}`, events: ['job.finished'], description: markup };
    const { id: webhookId } = await call<{ id: string }>('POST', '/v1/webhooks', webhook);
    return { key, bookId: id, code, voided, webhookId };
  }

  test('a file’s name, and what its rows hold, are text', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/books/${bookId}/decks`);
    const file = { name: `${markup.replaceAll('/', '')}.csv`, mimeType: 'text/csv' };
    await page
      .getByLabel('Choose a file')
      .setInputFiles({ ...file, buffer: Buffer.from(`code\n${markup}\nOURS-FILE-1\n`) });
    await page.getByText(file.name).waitFor();
    await page.getByRole('button', { name: 'Send the file' }).click();
    await page.getByText('Rows that were not taken').first().click();
    // The list is called as its file, and the row that was not taken is shown.
    await page.getByRole('rowheader', { name: 'From a file <img src=x' }).waitFor();
    await page.getByRole('rowheader', { name: /^<img src=x/ }).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    await window.close();
  });

  test('the address of a page that is not for a role shows it to nobody of that role', async () => {
    const forAdmins = ['/books/new', '/keys'];
    const forOperators = ['/', `/books/${bookId}`, `/books/${bookId}/decks`, '/users/ana', '/redemptions', '/jobs'];
    const alsoForOperators = ['/webhooks', '/webhooks/x', '/server-health', '/find/../keys', '//keys', '/keys/'];
    const forbidden = { operator: forAdmins, redeemer: [...forAdmins, ...forOperators, ...alsoForOperators] };
    for (const [role, paths] of Object.entries(forbidden)) {
      const window = await console.openSignedIn({}, keys[role]!);
      // One is loaded. The others are links: whether a page is for a role is looked up in the same place for both.
      await window.visit(paths[0]!);
      for (const path of paths) {
        await window.follow(path);
        const heading = await window.page.locator('h1').textContent();
        expect([role, path, heading]).toEqual([
          role,
          path,
          expect.stringMatching(/^This page is not for your role|^There is no such page/),
        ]);
      }
      await window.close();
    }
  });

  test('what a role may not do, its cookie may not do either, whatever is sent with it', async () => {
    const { id: keyId } = await console.call<{ id: string }>('POST', '/v1/api-keys', {
      name: 'Shop',
      role: 'redeemer',
    });
    const { code } = await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId, userId: 'ana' });
    const forAdmins: [string, string, unknown?][] = [
      ['POST', '/v1/books', { name: 'Mine' }],
      ['PATCH', `/v1/books/${bookId}`, { status: 'closed' }],
      ['DELETE', `/v1/books/${bookId}`],
      ['GET', '/v1/api-keys'],
      ['POST', '/v1/api-keys', { name: 'Mine', role: 'admin' }],
      ['DELETE', `/v1/api-keys/${keyId}`],
      ['DELETE', '/v1/users/ana'],
      ['POST', '/v1/tenants', { slug: 'mine', name: 'Mine' }],
      ['GET', '/console/tenant-sessions'],
    ];
    const forOperators: [string, string, unknown?][] = [
      ['GET', '/v1/books'],
      ['GET', `/v1/books/${bookId}/codes`],
      ['POST', `/v1/books/${bookId}/codes/generate`, { count: 1, pattern: 'MINE-########' }],
      ['POST', '/v1/coupons/assign', { bookId, userId: 'me' }],
      ['POST', `/v1/coupons/${code}/transfer`, { userId: 'me' }],
      ['POST', `/v1/coupons/${code}/void`, {}],
      ['GET', '/v1/users/ana/coupons'],
      ['GET', '/v1/redemptions'],
      ['POST', `/v1/jobs?kind=export-codes&bookId=${bookId}`],
      ['GET', '/v1/webhooks'],
      ['GET', '/console/health'],
    ];
    const refused = { operator: forAdmins, redeemer: [...forAdmins, ...forOperators] };
    for (const [role, calls] of Object.entries(refused)) {
      const window = await console.openSignedIn({}, keys[role]!);
      await window.follow('/');
      const statuses = await window.page.evaluate(
        (asked) =>
          Promise.all(
            asked.map(async ([method, path, body]) => {
              const headers = { 'content-type': 'application/json', 'x-role': 'root', role: 'root' };
              const sent = body === undefined ? {} : { body: JSON.stringify(body), headers };
              return (await fetch(path, { method, ...sent })).status;
            }),
          ),
        calls as [string, string, unknown][],
      );
      expect(statuses.map((status, at) => [role, ...calls[at]!.slice(0, 2), status])).toEqual(
        calls.map(([method, path]) => [role, method, path, 403]),
      );
      await window.close();
    }
  });

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
    await window.close();
  });

  test('a redeemer finds codes, and nothing else', async () => {
    const window = await console.openSignedIn({}, keys.redeemer!);
    const { page } = window;
    await window.follow('/');
    await page.getByText('it can look codes up and nothing else').waitFor();
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
