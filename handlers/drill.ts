import { RDSClient } from '@aws-sdk/client-rds';
import { S3Client } from '@aws-sdk/client-s3';
import { systemClock } from '../core/index.ts';
import { beginDrill } from './drill/begin-drill.ts';
import { drillInstances, drillPrefix } from './drill/drill-instances.ts';
import { drillReports } from './drill/drill-reports.ts';
import { lookAtRestore } from './drill/look-at-restore.ts';
import { makeDrillReport } from './drill/make-report.ts';
import { instanceName, readStep } from './drill/read-step.ts';
import { removeInstance } from './drill/remove-instance.ts';
import { reportDrill } from './drill/report-drill.ts';
import { watchDrills } from './drill/watch-drills.ts';
import { requireVariable } from './environment.ts';
import { lambdaStack } from './middleware/lambda-stack.ts';

const rds = new RDSClient();
// An address of one's own, as an emulator's, has no name for each bucket.
const s3 = new S3Client({ forcePathStyle: process.env['AWS_ENDPOINT_URL'] !== undefined });

/**
 * The steps of a restore drill that ask AWS: the state machine of resources/drill.yml calls them in their order, and
 * `ask-restored` between. A schedule calls it with `watch`.
 */
export const handler = lambdaStack('drill', async (event: unknown, { log, metrics }) => {
  const { name, run, beganAt, state } = readStep(event);
  const instances = drillInstances(rds, process.env);
  const reports = drillReports(s3, requireVariable(process.env, 'DRILL_REPORT_BUCKET'));
  const nowMillis = systemClock.now();
  if (name === 'watch') return watchDrills(instances, reports, nowMillis, log, metrics);
  const instance = instanceName(drillPrefix(requireVariable(process.env, 'DRILL_STACK')), run);
  if (name === 'begin') return beginDrill(instances, { instance, beganAt, nowMillis }, log);
  if (name === 'look') return lookAtRestore(instances, { instance, beganAt, nowMillis });
  if (name === 'remove') return removeInstance(instances, instance);
  return reportDrill(reports, makeDrillReport({ instance, run, beganAt, state }), log, metrics);
});
