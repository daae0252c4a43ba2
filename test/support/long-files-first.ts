import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

// Its declarations are those of the CommonJS module.
const { default: Sequencer } = createRequire(import.meta.url)(
  '@jest/test-sequencer',
) as typeof import('@jest/test-sequencer');
const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The files that run longest, in seconds on two processors with everything else beside them. Jest knows what it has run
 * before; on a new clone it would begin with the files that have the most text, and one of these that begins last
 * leaves all processors idle but one. What is missing here is taken for short: nothing but the order hangs on it.
 */
const usualSeconds: Readonly<Record<string, number>> = {
  'test/deploy/going-back.test.ts': 229,
  'test/deploy/deploy.test.ts': 188,
  'test/integration/job-kills.test.ts': 129,
  'test/package/template-options.test.ts': 114,
  'test/deploy/preview.test.ts': 112,
  'test/package/dead-log.test.ts': 106,
  'test/contract/throttling.test.ts': 104,
  'test/integration/races.test.ts': 99,
  'test/console/pages.test.ts': 94,
  'test/package/deployment-strategies.test.ts': 93,
  'test/console/flows.test.ts': 80,
  'test/integration/restore-kills.test.ts': 69,
  'test/console/controls.test.ts': 65,
  'test/package/embedded-start.test.ts': 58,
  'test/console/bad-input.test.ts': 58,
  'test/deploy/drill.test.ts': 55,
  'test/package/cost.test.ts': 53,
  'test/package/connection-budget.test.ts': 50,
  'test/property/coupon-sequences.test.ts': 46,
  'test/integration/event-commands.test.ts': 46,
};

type Test = Parameters<InstanceType<typeof Sequencer>['sort']>[0][number];

/** The order in which Jest takes the test files (`testSequencer`): those that run longest first. */
export default class LongFilesFirst extends Sequencer {
  override async sort(tests: Test[]): Promise<Test[]> {
    // Jest's own order stays among those of which nothing is known.
    const sorted = await super.sort(tests);
    return sorted.toSorted((a, b) => secondsOf(b) - secondsOf(a));
  }
}

/** @param duration in milliseconds; there is one where this clone has run the file before */
function secondsOf({ path, duration }: Test): number {
  return duration === undefined ? (usualSeconds[relative(root, path)] ?? 0) : duration / 1000;
}
