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
  'test/deploy/going-back.test.ts': 252,
  'test/deploy/deploy.test.ts': 176,
  'test/package/template-options.test.ts': 126,
  'test/integration/job-kills.test.ts': 117,
  'test/package/deployment-strategies.test.ts': 115,
  'test/package/dead-log.test.ts': 112,
  'test/deploy/preview.test.ts': 106,
  'test/integration/races.test.ts': 99,
  'test/console/pages.test.ts': 97,
  'test/contract/throttling.test.ts': 88,
  'test/console/flows.test.ts': 75,
  'test/package/linted-templates.test.ts': 70,
  'test/package/embedded-start.test.ts': 63,
  'test/console/bad-input.test.ts': 58,
  'test/console/controls.test.ts': 57,
  'test/console/support-desk.test.ts': 53,
  'test/deploy/drill.test.ts': 52,
  'test/integration/restore-kills.test.ts': 50,
  'test/http/hostile-requests.test.ts': 47,
  'test/console/attacks.test.ts': 47,
  'test/integration/webhook-load.test.ts': 46,
  'test/integration/event-commands.test.ts': 45,
  'test/package/cost.test.ts': 44,
  'test/property/coupon-sequences.test.ts': 41,
  'test/integration/delete-book.test.ts': 41,
  'test/console/operations.test.ts': 38,
  'test/package/connection-budget.test.ts': 36,
  'test/deploy/event-archive.test.ts': 35,
  'test/deploy/cold-start.test.ts': 35,
  'test/console/exports.test.ts': 35,
  'test/unit/order-rows.test.ts': 33,
  'test/integration/upload-codes.test.ts': 33,
  'test/package/operation.test.ts': 32,
  'test/package/commands.test.ts': 30,
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
