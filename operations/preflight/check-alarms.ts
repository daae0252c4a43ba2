import type { AskAws } from '../checklists/ask-aws.ts';
import { type Finding, no, ok, skipped } from '../checklists/check.ts';
import { outputOf, type Stage } from '../checklists/read-stage.ts';
import type { StackResource } from './check-stack.ts';

/** What CloudWatch says of an alarm. */
export interface Alarm {
  AlarmName: string;
  StateValue: string;
  ActionsEnabled: boolean;
  AlarmActions: string[];
}

/** Whether every alarm of the stack is there, tells somebody, and does not ring. */
export async function checkAlarms(aws: AskAws, { stack }: Stage, resources: StackResource[]): Promise<Finding> {
  const answer = await aws('cloudwatch', 'describe-alarms', '--alarm-name-prefix', `${stack}-`);
  const wanted = resources.filter(({ ResourceType }) => ResourceType === 'AWS::CloudWatch::Alarm');
  return judgeAlarms(
    (answer.MetricAlarms ?? []) as Alarm[],
    wanted.map(({ PhysicalResourceId }) => PhysicalResourceId),
  );
}

/** Decides about the alarms that there are and those that should be. */
export function judgeAlarms(found: readonly Alarm[], wanted: readonly string[]): Finding {
  const byName = new Map(found.map((alarm) => [alarm.AlarmName, alarm]));
  const missing = wanted.filter((name) => !byName.has(name));
  if (missing.length > 0) return no(`not there: ${missing.join(', ')}: deploy again`);
  const alarms = wanted.map((name) => byName.get(name)!);
  const named = (list: Alarm[]) => list.map(({ AlarmName }) => AlarmName).join(', ');
  const mute = alarms.filter(({ ActionsEnabled, AlarmActions }) => !ActionsEnabled || AlarmActions.length === 0);
  if (mute.length > 0) return no(`tell nobody: ${named(mute)}: aws cloudwatch enable-alarm-actions --alarm-names …`);
  const ringing = alarms.filter(({ StateValue }) => StateValue === 'ALARM');
  if (ringing.length > 0) return no(`ring: ${named(ringing)}: docs/deployment.md says what to do about each`);
  const silent = alarms.filter(({ StateValue }) => StateValue === 'INSUFFICIENT_DATA').length;
  return ok(`${alarms.length} armed, none rings${silent === 0 ? '' : `; ${silent} have no data yet`}`);
}

/** Whether somebody has confirmed to be told. */
export async function checkTold(aws: AskAws, stage: Stage, isNobodyFine: boolean): Promise<Finding> {
  const topic = outputOf(stage, 'AlertTopicArn');
  const answer = await aws('sns', 'list-subscriptions-by-topic', '--topic-arn', topic);
  const subscriptions = (answer.Subscriptions ?? []) as { SubscriptionArn: string; Protocol: string }[];
  return judgeTold(
    subscriptions.map(({ SubscriptionArn }) => SubscriptionArn),
    isNobodyFine,
  );
}

/**
 * Decides about a topic's subscriptions. Whose they are is not told.
 * @param isNobodyFine the stage's allowNoAlertEmail
 */
export function judgeTold(arns: readonly string[], isNobodyFine: boolean): Finding {
  const pending = arns.filter((arn) => arn === 'PendingConfirmation').length;
  const confirmed = arns.filter((arn) => arn.startsWith('arn:')).length;
  if (pending > 0) return no(`${pending} of ${arns.length} not confirmed: follow the link in the mail from AWS`);
  if (confirmed > 0) return ok(`${confirmed} confirmed`);
  if (isNobodyFine) return skipped('nobody is told, which allowNoAlertEmail says is meant');
  return no('nobody is told: set alertEmail in resources/stages.yml and deploy');
}
