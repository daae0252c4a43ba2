import { expect, test } from '@jest/globals';
import { runDrill } from '../drill/drill.ts';

const isLong = process.env.QURABLE_TEST_LONG === '1';

test(
  'restored from a base backup and archived log to a moment under load, a database has every write that was acknowledged before it, keeps its promises, and gives no code twice',
  async () => {
    const said: string[] = [];
    const report = await runDrill({
      coupons: isLong ? 1_000_000 : 2_000,
      customers: 16,
      loadMillis: isLong ? 10_000 : 1_000,
      archiveSeconds: 2,
      dealtAfter: 1_000,
      say: (line) => said.push(line),
    });
    expect(report).toMatchObject({ lost: 0, givenTwice: 0, reasonsAgainst: [], brokenAfter: [] });
    expect(report.answers.invariants).toMatchObject({ broken: [], unanswered: [], leftOut: [], next: null });
    expect(report.answers.marks.compared).toBeGreaterThan(0);
    expect(report.duringBackup).toBeGreaterThan(0);
    expect(report.acknowledged).toBeGreaterThan(0);
    expect(report.later).toBeGreaterThan(0);
    expect(report.voided).toBeGreaterThan(0);
    if (isLong) console.log(said.join('\n'), report);
  },
  isLong ? 1_800_000 : 900_000,
);
