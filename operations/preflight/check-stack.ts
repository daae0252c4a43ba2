import type { AskAws } from '../checklists/ask-aws.ts';
import { type Finding, no, ok, skipped } from '../checklists/check.ts';
import type { Stage } from '../checklists/read-stage.ts';
import type { Time } from '../checklists/time.ts';

/** One resource of a stack. */
export interface StackResource {
  LogicalResourceId: string;
  PhysicalResourceId: string;
  ResourceType: string;
}

interface Drift {
  LogicalResourceId: string;
  StackResourceDriftStatus: string;
  PropertyDifferences?: { PropertyPath: string }[];
}

const inSync = 'nothing was changed by hand';
const driftPauseMillis = 5000;
const driftMillis = 600_000;

/** Everything that a stack has made. */
export async function readResources(aws: AskAws, { stack }: Stage): Promise<StackResource[]> {
  const answer = await aws('cloudformation', 'list-stack-resources', '--stack-name', stack);
  return (answer.StackResourceSummaries ?? []) as StackResource[];
}

/** Whether the stack can be deployed to. */
export function judgeStack({ stack, status, outputs }: Pick<Stage, 'stack' | 'status' | 'outputs'>): Finding {
  const runs = `deployment ${outputs.Deployment ?? 'unknown'} runs`;
  if (status.endsWith('_IN_PROGRESS')) return no(`${stack} is ${status}: wait until that is done`);
  if (status === 'UPDATE_ROLLBACK_FAILED') {
    return no(`${status}: aws cloudformation continue-update-rollback --stack-name ${stack}`);
  }
  if (!status.endsWith('_COMPLETE') || status.startsWith('DELETE') || status === 'ROLLBACK_COMPLETE') {
    return no(`${stack} is ${status}: see its events`);
  }
  return ok(status === 'UPDATE_ROLLBACK_COMPLETE' ? `${runs}; the last try was taken back` : runs);
}

/**
 * Whether anybody has changed by hand what the stack made. CloudFormation looks for minutes.
 * @param time how long is waited for it
 */
export async function checkDrift(aws: AskAws, { stack }: Stage, time: Time): Promise<Finding> {
  const end = time.now() + driftMillis;
  const begun = await aws('cloudformation', 'detect-stack-drift', '--stack-name', stack);
  const id = String(begun.StackDriftDetectionId);
  for (;;) {
    const answer = await aws(
      'cloudformation',
      'describe-stack-drift-detection-status',
      '--stack-drift-detection-id',
      id,
    );
    if (answer.DetectionStatus === 'DETECTION_FAILED') {
      return skipped(`CloudFormation could not look: ${String(answer.DetectionStatusReason)}`);
    }
    if (answer.DetectionStatus === 'DETECTION_COMPLETE') {
      return answer.StackDriftStatus === 'IN_SYNC' ? ok(inSync) : await tellDrift(aws, stack);
    }
    if (time.now() >= end) return skipped('CloudFormation has looked for ten minutes: ask again later');
    await time.sleep(driftPauseMillis);
  }
}

/**
 * What a service of AWS changes as it should: ECS the weights by which requests go to one group of tasks or the other.
 */
const changedByEcs = ['ProductionRule', 'NewTasksRule'];

async function tellDrift(aws: AskAws, stack: string): Promise<Finding> {
  const filters = ['--stack-resource-drift-status-filters', 'MODIFIED', 'DELETED'];
  const answer = await aws('cloudformation', 'describe-stack-resource-drifts', '--stack-name', stack, ...filters);
  const drifts = ((answer.StackResourceDrifts ?? []) as Drift[]).filter(
    ({ LogicalResourceId, StackResourceDriftStatus }) =>
      StackResourceDriftStatus === 'DELETED' || !changedByEcs.includes(LogicalResourceId),
  );
  if (drifts.length === 0) return ok(inSync);
  // Names of properties are told, not values.
  const told = drifts.map(({ LogicalResourceId, StackResourceDriftStatus, PropertyDifferences = [] }) => {
    const paths = PropertyDifferences.map(({ PropertyPath }) => PropertyPath).join(', ');
    return `${LogicalResourceId} (${StackResourceDriftStatus === 'DELETED' ? 'deleted' : paths})`;
  });
  return no(`changed by hand: ${told.join('; ')}: take it back, or write it into resources/`);
}
