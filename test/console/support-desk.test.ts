import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allIfLong } from '../support/long-run.ts';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { themes, widths } from './support/looks.ts';
import { isInspected, lookOrInspect } from './support/open-window.ts';
import { startConsole, type TestConsole } from './support/start-console.ts';

const hostileUser = '<script>alert(1)</script> عميل';

describeInBrowser('what a support desk does in the console', () => {
  let console: TestConsole;
  let bookId: string;
  beforeAll(async () => {
    console = await startConsole('console_support');
    const zone = { timeZone: 'America/Argentina/Buenos_Aires', maxRedemptionsPerCode: 2, endsAt: '2099-03-01' };
    bookId = (await console.call<{ id: string }>('POST', '/v1/books', { name: 'Verano', status: 'active', ...zone }))
      .id;
    await console.call('POST', `/v1/books/${bookId}/codes/generate`, { count: 100, pattern: 'SUPP-########' });
  });
  afterAll(() => console?.close());

  const assign = async (userId: string) =>
    (await console.call<{ code: string }>('POST', '/v1/coupons/assign', { bookId, userId })).code;

  test('a stuck code is found however it is typed, its story is read, and its lock is let go', async () => {
    const code = await assign('ana');
    await console.call('POST', `/v1/coupons/${code}/lock`, { userId: 'ana', ttlSeconds: 86_400 });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/');
    await page.keyboard.press('/');
    await page.keyboard.type(code.toLowerCase().replace('-', '–'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: `Code ${code}` }).waitFor();
    await page.getByText('In a checkout').waitFor();
    await page.getByText('Given to ana.').waitFor();
    await page.getByText(/A checkout took it until/).waitFor();
    await window.inspect('code-locked');
    await page.getByRole('button', { name: 'Let the lock go' }).click();
    await page.getByLabel(/Reason/).fill('The customer called');
    await window.inspect('code-unlock');
    await page.getByRole('dialog').getByRole('button', { name: 'Let the lock go' }).click();
    await page.getByText('An operator let it go: The customer called').waitFor();
    await page.getByText('Ready to use').waitFor();
    await window.close();
  });

  test('a code is found without its dashes; where several may be meant, each is offered', async () => {
    const generated = await assign('dora');
    // In a book of their own: of the other one any code may be given to somebody.
    const { id } = await console.call<{ id: string }>('POST', '/v1/books', { name: 'Papel', status: 'active' });
    await console.call('POST', `/v1/books/${id}/codes`, { codes: ['PAPER-10', 'PAPERIO', 'PAPER-11'] });
    const window = await console.openSignedIn();
    const { page } = window;
    const search = async (typed: string) => {
      await page.keyboard.press('/');
      await page.keyboard.type(typed);
      await page.keyboard.press('Enter');
    };
    await window.follow('/');
    await search(generated.replaceAll('-', ''));
    await page.getByRole('heading', { name: `Code ${generated}` }).waitFor();
    await search('paper 11');
    await page.getByRole('heading', { name: 'Code PAPER-11' }).waitFor();

    await search('paper 10');
    await page.getByRole('heading', { name: 'may be one of these codes' }).waitFor();
    await window.inspect('find-nearly');
    await page.getByRole('listitem').getByText('Nobody has it yet').nth(1).waitFor();
    expect(await page.getByRole('main').getByRole('listitem').allTextContents()).toEqual([
      'PAPER-10 Nobody has it yet Papel',
      'PAPERIO Nobody has it yet Papel',
    ]);
    await page.getByRole('link', { name: 'PAPERIO' }).click();
    await page.getByRole('heading', { name: 'Code PAPERIO' }).waitFor();

    // A user whose id is nearly a code: whom or what is meant, only they know who typed it.
    await console.call('POST', '/v1/coupons/assign', { bookId, userId: 'paper11' });
    await search('paper11');
    await page.getByRole('link', { name: 'PAPER-11' }).waitFor();
    await page.getByRole('link', { name: 'Look for a user with this id' }).click();
    await page.getByRole('heading', { name: 'paper11' }).waitFor();
    await window.close();
  });

  test('a code goes to another user, is given back after a use, and is made void', async () => {
    const code = await assign('wrong-person');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/codes/${code}`);
    await page.getByRole('button', { name: 'Give to another user' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Give to another user' }).click();
    // Nothing was typed: the server's words stand beside the field.
    await page.locator('.field-error').waitFor();
    await page.getByLabel('The other user’s id').fill('right-person');
    await page.getByRole('dialog').getByRole('button', { name: 'Give to another user' }).click();
    await page.getByText('Went from wrong-person to right-person.').waitFor();
    await console.call('POST', `/v1/coupons/${code}/redeem`, { userId: 'right-person', reference: 'order-7' });
    await window.follow(`/codes/${code}`);
    await page.getByText('Used (no. 1), for order-7.').waitFor();
    await page.getByRole('button', { name: 'Give one use back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Give one use back' }).click();
    await page.getByText('One use was given back.').waitFor();
    await page.getByRole('button', { name: 'Make void' }).click();
    await page.getByLabel(/Reason/).fill('Sold on');
    await window.inspect('code-void');
    await page.getByLabel(`Type “${code}” to confirm`).fill(code);
    await page.keyboard.press('Enter');
    await page.getByText('Made void. Reason: Sold on').waitFor();
    // The story may be read before the code itself.
    await page.getByRole('button', { name: 'Make void' }).waitFor({ state: 'detached' });
    await window.close();
  });

  test('“why was it refused yesterday?” is answered from the story of the code', async () => {
    const code = await assign('late');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/codes/${code}?moment=2020-01-01T21:05`);
    await page.getByText('Nobody had it then: it had not been given yet.').waitFor();
    await page.getByLabel(/Moment/).fill('2099-03-05T10:00');
    await page.getByText('This time has not come yet.').waitFor();
    await page.getByText('Thursday, 5 March 2099, 10:00 in Buenos Aires.').waitFor();
    expect(await page.getByText('only late could use it').count()).toBe(0);
    await window.inspect('code-why');
    const { updatedAt } = await console.call<{ updatedAt: string }>('PATCH', `/v1/books/${bookId}`, {
      status: 'paused',
    });
    // The minute in which it was paused, on the book's clocks, which are three hours behind UTC.
    const paused = new Date(Date.parse(updatedAt) - 3 * 3_600_000).toISOString().slice(0, 16);
    // What was then is told also once it is over.
    await console.call('PATCH', `/v1/books/${bookId}`, { status: 'active' });
    await window.follow(`/codes/${code}?moment=${paused}`);
    await page.getByText('Its book was paused then').waitFor();
    await window.close();
  });

  test('a user’s coupons are listed, redemptions are filtered and exported, whatever the names hold', async () => {
    const code = await assign(hostileUser);
    await console.call('POST', `/v1/coupons/${code}/redeem`, { userId: hostileUser, reference: '=1+1' });
    const window = await console.openSignedIn({ language: 'es' });
    const { page } = window;
    await window.follow(`/users/${encodeURIComponent(hostileUser)}`);
    await page.getByRole('link', { name: code }).waitFor();
    await window.inspect('user');
    await window.follow('/redemptions');
    await page.getByRole('textbox', { name: 'Usuario' }).fill(hostileUser);
    await page.getByRole('button', { name: 'Mostrar' }).click();
    await page.getByRole('link', { name: code }).waitFor();
    // The list of all users stays until the one that was asked for is there.
    await page.getByRole('row').nth(2).waitFor({ state: 'detached' });
    expect(await page.getByRole('row').count()).toBe(2);
    await window.inspect('redemptions');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Exportar como CSV' }).click();
    expect((await download).suggestedFilename()).toBe('redemptions.csv');
    await window.close();
  });

  test('a coupon has the same hour in its user’s list as on its own page: the book’s, with the viewer’s beside', async () => {
    const code = await assign('clock-watcher');
    await console.call('POST', `/v1/coupons/${code}/redeem`, { userId: 'clock-watcher' });
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/codes/${code}`);
    const given = page.locator('dt', { hasText: 'Given' }).locator('+ dd time');
    await given.getByText('(Buenos Aires)').waitFor();
    const ofCode = await given.textContent();
    const hourOf = (text: string | null) => text?.slice(0, text.indexOf('('));
    for (const path of ['/users/clock-watcher', '/redemptions?userId=clock-watcher', `/redemptions?bookId=${bookId}`]) {
      await window.follow(path);
      const time = page.getByRole('row').filter({ hasText: code }).locator('time').first();
      await time.getByText('(Buenos Aires)').waitFor();
      await time.getByText('on your clock').waitFor();
      if (path.startsWith('/users')) expect(hourOf(await time.textContent())).toBe(hourOf(ofCode));
    }
    await window.close();
  });

  test('an id without coupons is erased from what its page does not show, and the question says so', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/users/went-away');
    await page.getByText('No coupons are known for this id').waitFor();
    await page.getByRole('button', { name: 'Erase this user' }).click();
    await page.getByRole('dialog').getByText('The id may still stand in the story of a code').waitFor();
    await window.close();
  });

  test('the coupon of a user who was erased is nobody’s, and can be given to somebody else', async () => {
    const code = await assign('forget-me');
    await console.call('DELETE', '/v1/users/forget-me');
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow(`/codes/${code}`);
    await page.getByText('Its user was erased, so nobody can use it.').waitFor();
    await page.getByText('Nobody’s any more').waitFor();
    expect(await page.getByText('Ready to use').count()).toBe(0);
    await window.inspect('code-erased');
    await page.getByRole('button', { name: 'Give to another user' }).click();
    await page.getByLabel('The other user’s id').fill('finder');
    await page.getByRole('dialog').getByRole('button', { name: 'Give to another user' }).click();
    await page.getByText('Ready to use').waitFor();
    await window.close();
  });

  test('a user is given a code of a book from their page, and from the book’s, and the code is said with a link', async () => {
    await console.call('POST', '/v1/books', { name: 'Invierno' });
    const { secret } = await console.call<{ secret: string }>('POST', '/v1/api-keys', {
      name: 'Desk',
      role: 'operator',
    });
    const window = await console.openSignedIn({}, secret);
    const { page } = window;
    await window.follow('/users/caller');
    await page.getByText('No coupons are known for this id').waitFor();
    await page.getByRole('button', { name: 'Give a code…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Give it' }).click();
    await dialog.getByText('Choose a book first.').waitFor();
    // A draft gives no code.
    expect(await dialog.getByRole('option', { name: 'Invierno' }).count()).toBe(0);
    await dialog.getByLabel('Book').selectOption('Verano');
    await window.inspect('give-code');
    await dialog.getByRole('button', { name: 'Give it' }).click();
    await dialog.getByText('caller now has this code:').waitFor();
    await window.inspect('code-given');
    const code = await dialog.getByRole('link', { name: /^SUPP-/ }).textContent();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('row').getByRole('link', { name: code! }).waitFor();
    await window.follow(`/books/${bookId}`);
    await page.getByRole('button', { name: 'Give a code…' }).click();
    await dialog.getByRole('button', { name: 'Give it' }).click();
    await dialog.locator('.field-error').waitFor();
    await dialog.getByLabel('The user’s id').fill(' second-caller ');
    await page.keyboard.press('Enter');
    await dialog.getByText('second-caller now has this code:').waitFor();
    await dialog.getByRole('link', { name: /^SUPP-/ }).click();
    await page.getByText('Given to second-caller.').waitFor();
    await window.close();
  });

  test('an address of a code that there is none of leads on: to the search, or to a user of that id', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/codes/MA%C3%91ANA-1');
    await page.getByRole('heading', { name: 'There is no such code' }).waitFor();
    await window.follow('/codes/NOT-THERE-1');
    await page.getByRole('button', { name: 'Type it again' }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'search');
    await page.getByRole('link', { name: 'Look for a user with this id' }).click();
    await page.getByRole('heading', { name: 'User NOT-THERE-1' }).waitFor();
    await window.close();
  });

  test('a key is made, shown once, and revoked', async () => {
    const window = await console.openSignedIn();
    const { page } = window;
    await window.follow('/keys');
    await page.getByLabel('Name').fill('Checkout');
    await page.getByRole('button', { name: 'Make a key' }).click();
    const secret = await page.locator('code.secret').textContent();
    expect(secret).toMatch(/^qk_/);
    await window.inspect('key-made');
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('button', { name: 'Revoke Checkout' }).click();
    await page.getByLabel('Type “Checkout” to confirm').fill('Checkout');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Revoke Checkout' }).waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(secret);
    await window.close();
  });

  const looks = themes.flatMap((theme) => widths.map((width) => ({ theme, width })));
  test.each(allIfLong(looks, isInspected))(
    'these pages have no barrier and fit the screen ($theme, $width)',
    async (look) => {
      const code = await assign(`${hostileUser} ${look.theme} ${look.width}`);
      const window = await console.openSignedIn({ ...look, language: look.width === 1024 ? 'es' : 'en' });
      const pages = [
        `/codes/${code}`,
        '/codes/NOT-THERE-1',
        `/users/${encodeURIComponent('nobody')}`,
        '/redemptions',
        '/keys',
      ];
      for (const [index, path] of pages.entries()) {
        await window.follow(path);
        await lookOrInspect(window, look, `support-${index}`);
      }
      expect(window.faults()).toEqual([]);
      await window.close();
    },
  );
});
