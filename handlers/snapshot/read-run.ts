import type { Environment } from '../../core/index.ts';
import { wholeVariable } from '../environment.ts';
import type { Retention, SnapshotKind } from './snapshot-rules.ts';

/**
 * Reads the kind of the snapshot and its run from an event. The schedule and the pipeline send
 * `{"kind":"daily"|"deploy","run":"…"}`; CloudFormation sends the same names, capitalised, among its properties.
 * Without a run, Lambda's request id is used, which stays the same when Lambda retries.
 * @throws Error for an unknown kind
 */
export function readRun(event: unknown, requestId: string): { kind: SnapshotKind; run: string } {
  const fields = objectOf(event);
  const properties = objectOf(fields['ResourceProperties']);
  const kind = fields['kind'] ?? properties['Kind'] ?? 'daily';
  if (kind !== 'daily' && kind !== 'deploy') throw new Error('kind must be daily or deploy');
  const run = fields['run'] ?? properties['Run'];
  return { kind, run: typeof run === 'string' && run !== '' ? run : requestId };
}

/** Reads how long snapshots are kept. */
export function readRetention(env: Environment): Retention {
  return {
    days: wholeVariable(env, 'SNAPSHOT_RETENTION_DAYS', 14, 1, 3_650),
    keepLeast: wholeVariable(env, 'SNAPSHOT_KEEP_LEAST', 3, 1, 50),
    keepMost: wholeVariable(env, 'SNAPSHOT_KEEP_MOST', 20, 1, 50),
  };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
