import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { chooseAccount } from '../../containers/local/machine/choose-account.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../containers/local/postgres/embedded-postgres.ts';
import type { Core } from '../../core/core.ts';
import { migrateToLatest } from '../../core/db/migrate.ts';
import { assignCoupon, closeCore, openCore, redeemCoupon, silentLog, systemClock } from '../../core/index.ts';
import { afterRestore } from '../../core/restore/after-restore.ts';
import { askRestored, type RestoredAnswers } from '../../core/restore/ask-restored.ts';
import { readDeckMarks } from '../../core/restore/read-deck-marks.ts';
import { readInvariants } from '../../core/restore/read-invariants.ts';
import { defaultMargin } from '../../core/restore/restore-margin-rules.ts';
import { reasonsAgainst } from '../../core/restore/restored-answer-rules.ts';
import { resumeBooks } from '../../core/restore/resume-books.ts';
import { loadCoupons } from '../bench/database/load-coupons.ts';
import { makeGeneratedBook } from '../bench/database/make-book.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { admin, testConfig } from '../support/open-test-core.ts';
import { giveTo, takeBaseBackup } from './base-backup.ts';
import { type Acknowledged, startLoad } from './load.ts';

/** How long the restored database may take to answer. */
const questionsMaxMillis = 3_600_000;

/** What a drill is to be like. */
export interface DrillOptions {
  /** Coupons that are there before it begins. */
  coupons: number;
  customers: number;
  /** How long the load goes on after the base backup, and after the chosen moment, in milliseconds. */
  loadMillis: number;
  /** How often the log is archived at least, in seconds: what is newer is lost with the machine. */
  archiveSeconds: number;
  /** Codes that are dealt after it, to see that none comes twice. */
  dealtAfter: number;
  say(line: string): void;
}

/** What it found. Times in milliseconds. */
export interface DrillReport {
  coupons: number;
  backupMillis: number;
  /** Writes that were acknowledged while the base backup was taken. */
  duringBackup: number;
  /** Recovery point: how far the newest archived log lay behind the failure. */
  rpoMillis: number;
  /** Recovery time, from the first step of the restore to the first redeem, and its parts. */
  rtoMillis: number;
  copyMillis: number;
  replayMillis: number;
  questionsMillis: number;
  afterRestoreMillis: number;
  /** Writes that were acknowledged up to the chosen moment, and those of them that the restored database lacks. */
  acknowledged: number;
  lost: number;
  /** Writes that were acknowledged after the moment. */
  later: number;
  /** Codes that two users were given, one of them after the restore. */
  givenTwice: number;
  /** What the restored database answered, and what of it speaks against serving from it. */
  answers: RestoredAnswers;
  reasonsAgainst: string[];
  voided: number;
  /** The promises that are broken at the end, once the restored database has served again. */
  brokenAfter: string[];
}

/**
 * A restore from the first step to the last, on a database of its own that is gone afterwards: base backup and archived
 * log of a server under load, which is then killed; both restored beside it to a moment under load; the questions that
 * a drill in AWS asks as well; the marks and after-restore; one assign and one redeem, and then so many assigns that a
 * code which came twice would show.
 */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const root = mkdtempSync(join(tmpdir(), 'qurable-drill-'));
  chmodSync(root, 0o711);
  const stops: (() => Promise<void>)[] = [];
  try {
    return await drill(root, options, stops);
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => {});
    rmSync(root, { recursive: true, force: true });
  }
}

async function drill(root: string, options: DrillOptions, stops: (() => Promise<void>)[]): Promise<DrillReport> {
  const { say } = options;
  const archive = join(root, 'archive');
  mkdirSync(archive, { mode: 0o700 });
  const account = chooseAccount();
  giveTo(account, archive);
  const first = await startServer(join(root, 'first'), {
    archive_mode: 'on',
    archive_command: `test ! -f "${archive}/%f" && cp "%p" "${archive}/%f.part" && mv "${archive}/%f.part" "${archive}/%f"`,
    archive_timeout: String(options.archiveSeconds),
    max_wal_size: '4GB',
  });
  stops.push(first.stop);
  await migrateToLatest({ connectionString: first.url }, silentLog);
  const marks: string[] = [];
  const core = await openWithMarks(first.url, marks);
  stops.push(() => closeCore(core));
  const client = new pg.Client({ connectionString: first.url });
  client.on('error', () => {});
  await client.connect();
  stops.push(() => client.end());
  const book = await makeGeneratedBook({ core, client } as never, options.coupons + 2_000_000);
  await loadCoupons({ core, client } as never, book, { count: options.coupons, users: 'before', keep: 0 });
  say(`${options.coupons} coupons are there; ${options.customers} customers assign and redeem from here on`);

  const load = startLoad(core, book.id, options.customers);
  await pause(options.loadMillis / 4);
  const backupStarted = performance.now();
  const beforeBackup = load.acknowledged.length;
  await takeBaseBackup(client, first.dataDirectory, join(root, 'backup'), () => load.until(beforeBackup + 1));
  const duringBackup = load.acknowledged.length - beforeBackup;
  const backupMillis = performance.now() - backupStarted;
  say(`base backup under load: ${seconds(backupMillis)}, in which ${duringBackup} writes were acknowledged`);
  await pause(options.loadMillis);

  // What was acknowledged before the clock is read was committed before the moment.
  const upTo = load.acknowledged.length;
  const { rows } = await client.query<{ moment: string; restoredTo: number }>(
    `select now::text as moment, extract(epoch from now)::float8 * 1000 as "restoredTo" from clock_timestamp() as now`,
  );
  const { moment, restoredTo } = rows[0]!;
  await pause(options.loadMillis);
  // All writes that were under way are through, and one at least came after the moment: without one in the archive, the
  // server would never know that it has reached the moment.
  await load.until(Math.max(upTo, load.acknowledged.length) + 2 * options.customers + 1);
  await untilArchived(client, await writtenSegment(client));
  const failedAt = Date.now();
  process.kill(first.pid, 'SIGQUIT');
  await first.exited;
  await load.stop();
  const rpoMillis = failedAt - newestArchived(archive);
  say(`the server is killed; ${load.acknowledged.length} writes were acknowledged, ${upTo} of them before ${moment}`);

  const restoreStarted = performance.now();
  const since = stopwatch();
  const second = join(root, 'second');
  cpSync(join(root, 'backup'), second, { recursive: true, preserveTimestamps: true });
  writeFileSync(join(second, 'recovery.signal'), '');
  chmodSync(second, 0o700);
  giveTo(account, second);
  cpSync(join(root, 'first.password'), join(root, 'second.password'));
  const copyMillis = since();
  const restored = await startServer(second, {
    restore_command: `cp "${archive}/%f" "%p"`,
    recovery_target_time: moment,
    recovery_target_action: 'promote',
    hot_standby: 'off',
    max_wal_size: '4GB',
  });
  stops.push(restored.stop);
  const replayMillis = since();
  const found = await readDeckMarks(linesOf(marks));
  const answers = await askRestored(
    { connectionString: restored.url },
    {
      invariants: await readInvariants(),
      restoredTo,
      readMarks: async () => found,
      clock: systemClock,
      deadline: systemClock.monotonic() + questionsMaxMillis,
    },
  );
  const against = reasonsAgainst(answers, restoredTo, rpoMillis);
  const questionsMillis = since();
  say(`restored beside it to the moment; ${against.length === 0 ? 'nothing speaks against it' : against.join('; ')}`);

  const again = await openWithMarks(restored.url, []);
  stops.push(() => closeCore(again));
  const report = await afterRestore(again, {
    marks: found,
    margin: defaultMargin(found),
    patternMargin: 0,
    apply: true,
  });
  await resumeBooks(again);
  const afterRestoreMillis = since();
  const given = new Set(load.acknowledged.map(({ code }) => code));
  const { code } = (await assignCoupon(again, admin, { bookId: book.id, userId: 'after' })).body;
  await redeemCoupon(again, admin, code, { userId: 'after' }, null);
  const rtoMillis = performance.now() - restoreStarted;
  const lost = await countLost(restored.url, load.acknowledged.slice(0, upTo));
  const dealt = [code, ...(await deal(again, book.id, options.dealtAfter))];
  return {
    ...{
      coupons: options.coupons,
      backupMillis,
      duringBackup,
      rpoMillis,
      rtoMillis,
      copyMillis,
      replayMillis,
      questionsMillis,
    },
    ...{ afterRestoreMillis, acknowledged: upTo, lost, later: load.acknowledged.length - upTo, answers },
    reasonsAgainst: against,
    givenTwice: dealt.filter((one) => given.has(one)).length + (dealt.length - new Set(dealt).size),
    voided: report.decks.reduce((sum, deck) => sum + deck.voided, 0),
    brokenAfter: (await findBrokenInvariants(restored.url)).map(({ name }) => name),
  };
}

function startServer(dataDirectory: string, settings: Record<string, string>): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDirectory, settings: { log_lock_waits: 'off', ...settings }, log: () => {} });
}

function openWithMarks(url: string, marks: string[]): Promise<Core> {
  return openCore(testConfig(url), {
    log: silentLog,
    writeMark: async (fields, message) =>
      void marks.push(JSON.stringify({ time: new Date().toISOString(), ...fields, msg: message })),
  });
}

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

/** The segment of the log in which everything is that was acknowledged so far, or the last of it. */
async function writtenSegment(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ segment: string }>(
    'select pg_walfile_name(pg_current_wal_insert_lsn()) as segment',
  );
  return rows[0]!.segment;
}

/** Names of segments ascend with the log. */
async function untilArchived(client: pg.Client, segment: string): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ archived: boolean }>(
      "select coalesce(last_archived_wal, '') >= $1 as archived from pg_stat_archiver",
      [segment],
    );
    if (rows[0]!.archived) return;
    await pause(100);
  }
}

/** When the newest segment was closed, which is the newest moment that could be restored to. */
function newestArchived(archive: string): number {
  const names = readdirSync(archive).filter((name) => /^[0-9A-F]{24}$/.test(name));
  return Math.max(...names.map((name) => statSync(join(archive, name)).mtimeMs));
}

/** Of the acknowledged writes, those that are not in the database. */
async function countLost(url: string, acknowledged: readonly Acknowledged[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ lost: string }>(
      `select count(*) as lost from unnest($1::text[], $2::uuid[], $3::int[]) as a (code, redemption, rev)
        left join coupons c on c.tenant_id = 1 and c.code = a.code
        left join redemptions r on r.tenant_id = 1 and r.id = a.redemption
        where c.rev is null or c.rev < a.rev or a.redemption is not null and r.id is null`,
      [
        acknowledged.map(({ code }) => code),
        acknowledged.map(({ redemptionId }) => redemptionId),
        acknowledged.map(({ rev }) => rev),
      ],
    );
    return Number(rows[0]!.lost);
  } finally {
    await client.end();
  }
}

async function deal(core: Core, bookId: string, count: number): Promise<string[]> {
  const codes: string[] = [];
  for (let from = 0; from < count; from += 200) {
    const some = Array.from({ length: Math.min(200, count - from) }, (_, n) =>
      assignCoupon(core, admin, { bookId, userId: `later-${from + n}` }).then(({ body }) => body.code),
    );
    codes.push(...(await Promise.all(some)));
  }
  return codes;
}

function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    return passed;
  };
}

function seconds(millis: number): string {
  return `${(millis / 1_000).toFixed(1)} s`;
}
