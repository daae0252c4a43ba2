import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { ElastiCacheClient } from '@aws-sdk/client-elasticache';
import { RDSClient } from '@aws-sdk/client-rds';
import { systemClock } from '../core/index.ts';
import { requireVariable } from './environment.ts';
import { lambdaStack } from './middleware/lambda-stack.ts';
import { cacheSnapshots } from './snapshot/cache-snapshots.ts';
import { databaseSnapshots } from './snapshot/database-snapshots.ts';
import { readRetention, readRun } from './snapshot/read-run.ts';
import { takeSnapshots } from './snapshot/take-snapshots.ts';

const rds = new RDSClient();
const elastiCache = new ElastiCacheClient();

/**
 * Takes a snapshot of the database and one of the cache, and deletes its own snapshots once their retention is over.
 */
export const handler = lambdaStack('snapshot', async (event: unknown, { log, metrics, requestId }) => {
  const env = process.env;
  const prefix = requireVariable(env, 'SNAPSHOT_PREFIX');
  const group = env['SNAPSHOT_CACHE_GROUP'];
  const stores = [databaseSnapshots(rds, requireVariable(env, 'SNAPSHOT_DB_INSTANCE'), prefix)];
  if (group) stores.push(cacheSnapshots(elastiCache, group, prefix));
  const run = { ...readRun(event, requestId), prefix, retention: readRetention(env), nowMillis: systemClock.now() };
  const report = await takeSnapshots(stores, run, log);
  const taken = Object.values(report).filter((of) => 'name' in of);
  metrics.addMetric('SnapshotsTaken', MetricUnit.Count, taken.length);
  return report;
});
