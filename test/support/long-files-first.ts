import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

// Its declarations are those of the CommonJS module.
const { default: Sequencer } = createRequire(import.meta.url)(
  '@jest/test-sequencer',
) as typeof import('@jest/test-sequencer');
const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The files that run longest, in seconds on two slow processors with everything else beside them. Jest knows what it
 * has run before; on a new clone it would begin with the files that have the most text, and one of these that begins
 * last leaves all processors idle but one. What is missing here is taken for short: nothing but the order hangs on it.
 */
const usualSeconds: Readonly<Record<string, number>> = {
  'test/deploy/deploy.test.ts': 420,
  'test/console/flows.test.ts': 186,
  'test/integration/job-kills.test.ts': 156,
  'test/integration/races.test.ts': 150,
  'test/package/embedded-start.test.ts': 145,
  'test/contract/throttling.test.ts': 122,
  'test/package/template-options.test.ts': 116,
  'test/package/dead-log.test.ts': 110,
  'test/deploy/event-archive.test.ts': 110,
  'test/property/coupon-sequences.test.ts': 109,
  'test/integration/event-commands.test.ts': 105,
  'test/integration/restore-kills.test.ts': 100,
  'test/package/linted-templates.test.ts': 95,
  'test/console/operations.test.ts': 91,
  'test/console/controls.test.ts': 85,
  'test/console/attacks.test.ts': 82,
  'test/console/pages.test.ts': 75,
  'test/console/support-desk.test.ts': 75,
  'test/integration/webhook-load.test.ts': 66,
  'test/console/bad-input.test.ts': 65,
  'test/package/embedded-postgres.test.ts': 63,
  'test/package/smoke.test.ts': 59,
  'test/http/hostile-requests.test.ts': 58,
  'test/integration/migrate.test.ts': 56,
  'test/package/commands.test.ts': 55,
  'test/http/main.test.ts': 53,
  'test/integration/delete-book.test.ts': 53,
  'test/integration/index-lookups.test.ts': 50,
  'test/console/layout.test.ts': 50,
  'test/package/deployment-strategies.test.ts': 49,
  'test/http/heavy-bodies.test.ts': 44,
  'test/integration/settled-events.test.ts': 44,
  'test/package/runbooks.test.ts': 43,
  'test/package/cost.test.ts': 42,
  'test/http/tracing.test.ts': 42,
  'test/integration/database-trouble.test.ts': 36,
  'test/integration/redis-loss.test.ts': 36,
  'test/deploy/emulator-rules.test.ts': 36,
  '': 0,
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
