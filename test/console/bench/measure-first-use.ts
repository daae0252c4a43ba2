import type { TestConsole } from '../support/start-console.ts';

/** What first visits of a page took. */
export interface FirstUse {
  path: string;
  /** Of each visit: until the page could be used. */
  millis: number[];
  /** Of the last visit. */
  requests: number;
  /** That came over the network for it, with headers, compressed as they came. */
  bytes: number;
  /** What it did that a page must not. */
  faults: string[];
}

/** Opens a page so many times, each time in a browser's context that knows nothing of the console but the session. */
export async function measureFirstUse(console: TestConsole, path: string, rounds: number): Promise<FirstUse> {
  const found: FirstUse = { path, millis: [], requests: 0, bytes: 0, faults: [] };
  for (let round = 0; round < rounds; round += 1) {
    const window = await console.openSignedIn();
    const { page } = window;
    await page.addInitScript(noteWhenUsable);
    await window.visit(path);
    const seen = await page.evaluate(() => {
      const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
      const bytes = (entries as PerformanceResourceTiming[]).reduce((sum, { transferSize }) => sum + transferSize, 0);
      return { usableAt: Number(document.documentElement.dataset.usableAt), requests: entries.length, bytes };
    });
    found.millis.push(seen.usableAt);
    found.requests = seen.requests;
    found.bytes = seen.bytes;
    found.faults.push(...window.faults());
    await page.context().close();
  }
  return found;
}

/** Runs in the page, before anything of it: writes down when it last came to have all that it reads. */
function noteWhenUsable(): void {
  let wasUsable = false;
  new MutationObserver(() => {
    const isUsable = document.querySelector('main h1') !== null && document.querySelector('.loading') === null;
    if (isUsable && !wasUsable) document.documentElement.dataset.usableAt = String(performance.now());
    wasUsable = isUsable;
  }).observe(document, { childList: true, subtree: true });
}
