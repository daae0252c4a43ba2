import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeShowCase, type ShowCase } from './pictures/show-case.ts';
import { lookAt, viewsOf } from './pictures/views.ts';
import { describeInBrowser } from './support/describe-in-browser.ts';
import { startConsole, type TestConsole } from './support/start-console.ts';

describeInBrowser('what pictures show', () => {
  let console: TestConsole;
  let showCase: ShowCase;
  beforeAll(async () => {
    console = await startConsole('console_layout', { WEBHOOK_ALLOW_LOOPBACK: 'true' });
    showCase = await makeShowCase(console);
  });
  afterAll(() => console?.close());

  // Spanish has the longer words; a phone and a laptop are where there is least room for a list and for its buttons.
  test.each([320, 1024] as const)('every page and question keeps its layout in Spanish (%i)', async (width) => {
    const faults: string[] = [];
    for (const view of viewsOf(showCase)) {
      const window = await lookAt(console, showCase, view, { width, language: 'es' });
      await window.look(view.name).catch((error: Error) => faults.push(error.message));
      await window.close();
    }
    expect(faults).toEqual([]);
  });
});
