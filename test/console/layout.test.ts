import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isLong } from '../support/long-run.ts';
import { makeShowCase, type ShowCase } from './pictures/show-case.ts';
import { goTo, openAs, viewers, viewsOf } from './pictures/views.ts';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { startConsole, type TestConsole } from './support/start-console.ts';

describeInBrowser('what pictures show', () => {
  let console: TestConsole;
  let showCase: ShowCase;
  beforeAll(async () => {
    console = await startConsole('console_layout', { WEBHOOK_ALLOW_LOOPBACK: 'true' });
    // As many as have numbers of four digits, which are as wide as the pictures' own.
    showCase = await makeShowCase(console, 4_000);
  });
  afterAll(() => console?.close());

  /** On a laptop it is the lists that lack room, for their columns and for the buttons of their rows. */
  const lists = [
    'overview',
    'book',
    'codes',
    'rules',
    'code-redeemed',
    'user',
    'redemptions',
    'jobs',
    'webhook',
    'webhooks',
    'keys',
    'health',
  ];
  const isSeen = (width: number, name: string) => isLong || width === 320 || lists.includes(name);

  // Spanish has the longer words; a phone and a laptop are where there is least room for a list and for its buttons.
  test.each([320, 1024] as const)('every page and question keeps its layout in Spanish (%i)', async (width) => {
    const faults: string[] = [];
    // One window for all that somebody looks at: a view that was gone to leaves nothing of the one before.
    for (const viewer of viewers) {
      const views = viewsOf(showCase).filter(({ as = 'root', name }) => as === viewer && isSeen(width, name));
      if (views.length === 0) continue;
      const window = await openAs(console, showCase, viewer, { width, language: 'es' });
      for (const view of views) {
        await goTo(window, view);
        await window.look(view.name).catch((error: Error) => faults.push(error.message));
      }
      await window.close();
    }
    expect(faults).toEqual([]);
  });
});
