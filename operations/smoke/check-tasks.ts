import type { AskAws } from '../checklists/ask-aws.ts';
import { type Check, type Finding, no, ok } from '../checklists/check.ts';
import { outputOf, type Stage } from '../checklists/read-stage.ts';
import { lookPatiently, type Time } from '../checklists/time.ts';

/** What ECS and the load balancer say about a stage's tasks. */
export interface Tasks {
  wanted: number;
  healthy: number;
  /** More than one while tasks are being replaced. */
  deployments: number;
  /** The tag that tasks run, and the one that was deployed. */
  image: string;
  deployedImage: string;
  /** The service's latest word on what keeps it from its tasks; empty where there is none. */
  lastEvent: string;
}

/** Whether all tasks of a stage answer the load balancer, and run what was deployed. */
export function tasksCheck(aws: AskAws, stage: Stage, time: Time, patienceMillis: number): Check {
  const look = async () => judgeTasks(await readTasks(aws, stage), stage);
  return { name: 'tasks', look: () => lookPatiently(time, patienceMillis, look) };
}

/** Decides about what was read. */
export function judgeTasks(tasks: Tasks, { outputs }: Pick<Stage, 'outputs'>): Finding {
  const { wanted, healthy, deployments, image, deployedImage, lastEvent } = tasks;
  const counts = `${Math.min(healthy, wanted)} of ${wanted} tasks healthy`;
  if (wanted === 0) return no('no task is wanted: see the function scale’s log');
  if (healthy < wanted) return no(`${counts}: ${lastEvent || 'see the API’s log'}`);
  if (deployments > 1) return no(`${counts}, but a deployment is under way: look again once it is done`);
  if (image !== deployedImage) return no(`${counts}, but they run ${image} and not ${deployedImage}: deploy again`);
  return ok(`${counts}, version ${image}, commit ${outputs.Commit ?? 'unknown'}`);
}

async function readTasks(aws: AskAws, stage: Stage): Promise<Tasks> {
  const names = ['--cluster', outputOf(stage, 'ClusterName'), '--services', outputOf(stage, 'ServiceName')];
  const { services = [] } = (await aws('ecs', 'describe-services', ...names)) as { services?: EcsService[] };
  const [service] = services;
  if (service === undefined) throw new Error('the service is gone: deploy again');
  // After a canary or blue/green deployment the tasks may be in the other group.
  const healths = service.loadBalancers.map(async ({ targetGroupArn, advancedConfiguration }) => {
    const groups = [targetGroupArn, advancedConfiguration?.alternateTargetGroupArn].filter((arn) => arn !== undefined);
    return Math.max(...(await Promise.all(groups.map((group) => countHealthy(aws, group)))));
  });
  const { taskDefinition } = (await aws(
    'ecs',
    'describe-task-definition',
    '--task-definition',
    service.taskDefinition,
  )) as { taskDefinition: { containerDefinitions: { name: string; image: string }[] } };
  return {
    wanted: service.desiredCount,
    healthy: Math.min(...(await Promise.all(healths))),
    deployments: service.deployments.length,
    image: taskDefinition.containerDefinitions[0]?.image.split(':').at(-1) ?? '',
    deployedImage: outputOf(stage, 'ImageTag'),
    lastEvent: service.events?.[0]?.message ?? '',
  };
}

interface EcsService {
  desiredCount: number;
  taskDefinition: string;
  deployments: object[];
  loadBalancers: { targetGroupArn: string; advancedConfiguration?: { alternateTargetGroupArn: string } }[];
  events?: { message: string }[];
}

async function countHealthy(aws: AskAws, group: string): Promise<number> {
  const answer = await aws('elbv2', 'describe-target-health', '--target-group-arn', group);
  const targets = (answer.TargetHealthDescriptions ?? []) as { TargetHealth: { State: string } }[];
  return targets.filter(({ TargetHealth }) => TargetHealth.State === 'healthy').length;
}
