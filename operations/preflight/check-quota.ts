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
