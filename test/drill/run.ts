import { parseArgs } from 'node:util';
import { runDrill } from './drill.ts';

const usage = `drill: restores a database under load, as in the night in which it matters, and measures it. It works on a database of
its own, below the folder for temporary files, which is gone afterwards; yours is not touched.

  npm run drill [-- --coupons 100000] [--customers 32] [--seconds 5] [--archive-seconds 5]

--coupons          coupons that are there before it begins
--customers        who assign and redeem meanwhile
--seconds          for how long after the base backup, and as long again after the moment that is restored
--archive-seconds  how often the log is archived at least (RDS: 300)

Exit code 0: nothing that was acknowledged up to the moment is lost, no code was given twice, and nothing that the
restored database answered speaks against it: its schema, its invariants, which are asked once more after it has served
again, its decks beside the marks.`;

const { values } = parseArgs({
  options: {
    coupons: { type: 'string', default: '100000' },
    customers: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '5' },
    'archive-seconds': { type: 'string', default: '5' },
    help: { type: 'boolean' },
  },
});

if (values.help) console.log(usage);
else if (process.platform === 'win32') {
  console.error('drill: the log is archived by a command of a Unix shell; run it on Linux or macOS');
  process.exitCode = 1;
} else await run();

async function run(): Promise<void> {
  const report = await runDrill({
    coupons: whole('coupons', 1, 50_000_000),
    customers: whole('customers', 1, 1_000),
    loadMillis: whole('seconds', 1, 3_600) * 1_000,
    archiveSeconds: whole('archive-seconds', 1, 3_600),
    dealtAfter: 5_000,
    say: (line) => console.log(line),
  });
  const seconds = (millis: number) => `${(millis / 1_000).toFixed(1)} s`;
  console.log(`
coupons before                 ${report.coupons}
base backup under load         ${seconds(report.backupMillis)}, writes acknowledged meanwhile: ${report.duringBackup}
RPO, log not yet archived      ${seconds(report.rpoMillis)}
RTO, all of it                 ${seconds(report.rtoMillis)}
  copying the backup           ${seconds(report.copyMillis)}
  replaying the log            ${seconds(report.replayMillis)}
  questions                    ${seconds(report.questionsMillis)}
  marks and after-restore      ${seconds(report.afterRestoreMillis)}
acknowledged up to the moment  ${report.acknowledged}, lost: ${report.lost}
acknowledged after it          ${report.later}, their codes voided: ${report.voided}
codes given twice              ${report.givenTwice}
newest event                   ${report.answers.newestEventAt}
promises asked                 ${report.answers.invariants.asked}
broken once it served again    ${report.brokenAfter.join(', ') || 'none'}
decks held against marks       ${report.answers.marks.compared}
what speaks against it         ${report.reasonsAgainst.join('; ') || 'nothing'}`);
  const { lost, givenTwice, reasonsAgainst, brokenAfter } = report;
  process.exitCode = lost + givenTwice + reasonsAgainst.length + brokenAfter.length === 0 ? 0 : 1;
}

function whole(name: keyof typeof values, least: number, most: number): number {
  const text = String(values[name]);
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  console.error(`drill: --${name} must be a whole number from ${least} to ${most}`);
  process.exit(1);
}
