import { addEventHandler, type Event, type State } from 'jest-circus';

/**
 * The bound of each test and hook, of which the runner has none of its own: one that hangs would never end. So long
 * that nothing is ended that is slow: on a busy machine some take ten times as long as usual.
 */
const usualMillis = 300_000;
/** Those of the files that asked for another one, by path. */
const millisOf = new Map<string, number>();
// A test may put others in their place.
const { setTimeout, clearTimeout } = globalThis;

/** What `jest.setTimeout` does: the tests and hooks of this file that come behind it may take so long. */
export function setTestTimeout(millis: number): void {
  millisOf.set(currentFile(), millis);
}

/** Puts the bound around every test and hook that any file says from now on. */
export function limitTests(): void {
  addEventHandler((event: Event, { currentDescribeBlock: block }: State) => {
    const added =
      event.name === 'add_test' ? block.tests.at(-1) : event.name === 'add_hook' ? block.hooks.at(-1) : undefined;
    if (added?.fn === undefined) return;
    const run = added.fn as () => unknown;
    const millis = added.timeout ?? millisOf.get(currentFile()) ?? usualMillis;
    added.fn = () => within(millis, run);
  });
}

async function within(millis: number, run: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${millis} ms`)), millis);
  });
  try {
    await Promise.race([run(), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

function currentFile(): string {
  const { expect } = globalThis as unknown as typeof import('@jest/globals');
  return expect.getState().testPath ?? '';
}
