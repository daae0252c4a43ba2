import { join } from 'node:path';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type DatabaseAddress, type Log, migrateToLatest } from '../../core/index.ts';
import { maskSecrets } from './mask-secrets.ts';

/** What CloudFormation and a person read of a run. */
export interface MigrationReport {
  applied: number;
  newest: string;
}

/** A database that was made, restored or failed over a moment ago refuses connections for some seconds. */
const attempts = 6;
const pauseMillis = 5_000;
const unreachable = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', '57P03']);

/**
 * Applies the migrations in `root`/migrations, all or none. Repeating it is harmless, so a database that can't be
 * reached yet is tried again.
 * @throws Error whose message says which migration failed and why, without the password
 */
export async function runMigrations(
  address: DatabaseAddress,
  root: string | undefined,
  log: Log,
  metrics: Pick<Metrics, 'addMetric'>,
  pause: (millis: number) => Promise<void> = wait,
): Promise<MigrationReport> {
  const directory = join(root ?? '.', 'migrations');
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { applied } = await migrateToLatest(address, log, directory);
      metrics.addMetric('MigrationsApplied', MetricUnit.Count, applied.length);
      return { applied: applied.length, newest: applied.at(-1) ?? 'nothing to apply' };
    } catch (error) {
      if (attempt < attempts && unreachable.has(codeOf(error))) {
        log.warn({ code: codeOf(error), attempt }, 'the database can not be reached yet');
        await pause(pauseMillis);
        continue;
      }
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(maskSecrets(message, [address.password, address.connectionString]));
    }
  }
}

/** The code of an error or of what caused it. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : '';
}

function wait(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
