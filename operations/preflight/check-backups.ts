import type { AskAws } from '../checklists/ask-aws.ts';
import { type Finding, no, ok } from '../checklists/check.ts';
import type { Stage } from '../checklists/read-stage.ts';
import { momentOf } from '../checklists/time.ts';

const minuteMillis = 60_000;
const hourMillis = 3_600_000;
/** RDS sends its log away every five minutes. */
const restorableMillis = 15 * minuteMillis;
/** The function is called once a day, within a quarter of an hour, and tried again for an hour. */
const snapshotMillis = 26 * hourMillis;

/** What RDS says of a database. */
export interface DatabaseState {
  DBInstanceStatus: string;
  BackupRetentionPeriod: number;
  LatestRestorableTime?: string | number;
  PendingModifiedValues?: Record<string, unknown>;
}

/** A snapshot, of which the account may not know yet when it was taken. */
export interface Snapshot {
  name: string;
  takenAt: string | number | undefined;
  isDone: boolean;
}

/** Whether the database can be brought back to any moment up to a quarter of an hour ago. */
export async function checkBackups(aws: AskAws, { stack }: Stage, nowMillis: number): Promise<Finding> {
  const answer = await aws('rds', 'describe-db-instances', '--db-instance-identifier', stack);
  return judgeBackups((answer.DBInstances as DatabaseState[])[0]!, nowMillis);
}

/** Decides about what RDS says. */
export function judgeBackups(database: DatabaseState, nowMillis: number): Finding {
  const { DBInstanceStatus: status, BackupRetentionPeriod: days, LatestRestorableTime: latest } = database;
  if (status !== 'available') return no(`the database is ${status}: wait until it is available`);
  if (!(days > 0)) return no('the database keeps no backups: set databaseBackupDays and deploy');
  if (latest === undefined) return no('the database has no backup yet: wait for its first one');
  const age = nowMillis - momentOf(latest);
  if (!(age <= restorableMillis)) return no(`the latest restorable moment is ${ageText(age)} old: see the RDS events`);
  const pending = Object.keys(database.PendingModifiedValues ?? {});
  const waits = pending.length === 0 ? '' : `; ${pending.join(', ')} wait for the maintenance window or a restart`;
  return ok(`restorable to ${ageText(age)} ago, kept for ${days} days${waits}`);
}

/** Whether the snapshots that are taken daily are there: the database's, then the cache's. */
export async function checkSnapshots(aws: AskAws, { stack }: Stage, nowMillis: number): Promise<Finding> {
  const ofDatabase = await aws('rds', 'describe-db-snapshots', '--snapshot-type', 'manual');
  const ofCache = await aws('elasticache', 'describe-snapshots', '--snapshot-source', 'user');
  const database = ((ofDatabase.DBSnapshots ?? []) as Record<string, string>[]).map((snapshot) => ({
    name: snapshot.DBSnapshotIdentifier!,
    takenAt: snapshot.SnapshotCreateTime,
    isDone: snapshot.Status === 'available',
  }));
  const cache = ((ofCache.Snapshots ?? []) as CacheSnapshot[]).map((snapshot) => ({
    name: snapshot.SnapshotName,
    takenAt: snapshot.NodeSnapshots?.[0]?.SnapshotCreateTime,
    isDone: snapshot.SnapshotStatus === 'available',
  }));
  const ofStage = ({ name }: Snapshot) => name.startsWith(`${stack}-`);
  return judgeSnapshots({ database: database.filter(ofStage), cache: cache.filter(ofStage) }, stack, nowMillis);
}

interface CacheSnapshot {
  SnapshotName: string;
  SnapshotStatus: string;
  NodeSnapshots?: { SnapshotCreateTime?: string | number }[];
}

/** Decides about what snapshots there are, by what they are of. */
export function judgeSnapshots(found: Record<string, Snapshot[]>, stack: string, nowMillis: number): Finding {
  const told: string[] = [];
  for (const [what, snapshots] of Object.entries(found)) {
    const times = snapshots.filter(({ isDone }) => isDone).map(({ takenAt }) => momentOf(takenAt));
    const age = nowMillis - Math.max(...times.filter((at) => !Number.isNaN(at)));
    if (!Number.isFinite(age))
      return no(`no snapshot of the ${what}: aws lambda invoke --function-name ${stack}-snapshot`);
    if (age > snapshotMillis)
      return no(`the ${what}’s newest is ${ageText(age)} old: see the log of ${stack}-snapshot`);
    told.push(`${what} ${ageText(age)} ago`);
  }
  return ok(told.join(', '));
}

function ageText(millis: number): string {
  if (millis >= 2 * hourMillis) return `${Math.floor(millis / hourMillis)} hours`;
  return `${Math.max(0, Math.floor(millis / minuteMillis))} min`;
}
