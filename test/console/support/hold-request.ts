import type { Page } from 'playwright-core';

/** A request that waits until the test has seen what it must see meanwhile. */
export interface HeldRequest {
  /** Lets it go on to the server, and all that come later. */
  letGo(): void;
}

/**
 * Holds the requests of a page to an address before they reach the server. So what is there only while an answer is
 * waited for stays until it was looked at, however fast the server and however slow the test is.
 * @param address as page.route takes it
 * @param method the others go through
 */
export async function holdRequest(page: Page, address: string | RegExp, method: string): Promise<HeldRequest> {
  const { promise: isFree, resolve: letGo } = Promise.withResolvers<void>();
  await page.route(address, async (route) => {
    if (route.request().method() === method) await isFree;
    await route.continue();
  });
  return { letGo };
}
