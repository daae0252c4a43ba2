import type { Page } from 'playwright-core';

/** A request whose first answer is lost. */
export interface LostAnswer {
  /** The idempotency key of each attempt that was made. */
  readonly keys: (string | undefined)[];
  /** Lets the repeat through. Until then the page has no answer, and says so. */
  letRepeatThrough(): void;
}

/**
 * Loses the answer to the first change that a page sends to an address, after the server was done, and holds the repeat
 * until the test has seen what the page says of it.
 */
export async function loseAnswer(page: Page, address: string): Promise<LostAnswer> {
  const keys: (string | undefined)[] = [];
  const { promise: isThrough, resolve: letRepeatThrough } = Promise.withResolvers<void>();
  await page.route(address, async (route) => {
    if (route.request().method() === 'GET') return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    if (keys.length === 1) {
      await route.fetch();
      return route.abort('connectionreset');
    }
    await isThrough;
    return route.continue();
  });
  return { keys, letRepeatThrough };
}
