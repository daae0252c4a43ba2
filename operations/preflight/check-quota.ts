import type { AskAws } from '../checklists/ask-aws.ts';
import { type Finding, no, ok } from '../checklists/check.ts';

const quota = ['--service-code', 'fargate', '--quota-code', 'L-3032A538'];
const cpuOfProcessor = 1024;

/** Whether the account may run the tasks of an event, and as many more while they are rolled. */
export async function checkQuota(aws: AskAws, parameters: Record<string, unknown>): Promise<Finding> {
  const answer = await aws('service-quotas', 'get-service-quota', ...quota);
  const { Value } = answer.Quota as { Value: number };
  const most = Number(parameters.eventMaxTasks);
  return judgeQuota(Value, most, (2 * most * Number(parameters.taskCpu)) / cpuOfProcessor);
}

/** Decides about virtual processors. */
export function judgeQuota(may: number, tasks: number, needed: number): Finding {
  const text = `${tasks} tasks that are being rolled need ${needed} Fargate vCPUs, the account may run ${may}`;
  if (may >= needed) return ok(text);
  return no(
    `${text}: aws service-quotas request-service-quota-increase ${quota.join(' ')} --desired-value ${Math.ceil(needed)}`,
  );
}

const functionQuota = ['--service-code', 'lambda', '--quota-code', 'L-B99A9384'];
/** What Lambda wants left to functions for which nothing is reserved. */
const unreservedLeast = 100;

/**
 * Whether the account may run as many functions at a time as the stage reserves for webhooks. A new account may run
 * ten, and CloudFormation would find that out in the middle of the deployment.
 */
export async function checkConcurrency(aws: AskAws, parameters: Record<string, unknown>): Promise<Finding> {
  const answer = await aws('service-quotas', 'get-service-quota', ...functionQuota);
  const { Value } = answer.Quota as { Value: number };
  return judgeConcurrency(Value, Number(parameters.webhookConcurrency));
}

/** Decides about functions that run at a time. What other stages of the account reserve is not seen here. */
export function judgeConcurrency(may: number, reserved: number): Finding {
  const runs = `the account may run ${may} functions at a time`;
  if (reserved === 0) return ok(`nothing is reserved for webhooks, ${runs}`);
  const needed = reserved + unreservedLeast;
  const text = `${reserved} are reserved for webhooks and ${unreservedLeast} must be left to others, ${runs}`;
  if (may >= needed) return ok(text);
  return no(
    `${text}: lower webhookConcurrency (0 reserves nothing), or aws service-quotas request-service-quota-increase ${functionQuota.join(' ')} --desired-value ${needed}`,
  );
}
