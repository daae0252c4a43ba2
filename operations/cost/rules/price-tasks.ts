import { add, decimalText, exact, multiply } from '../exact.ts';
import { gigabytes } from '../load.ts';
import {
  alarmsOfScalingPolicy,
  hoursOfMonth,
  insightsBytesOfMinute,
  insightsMetrics,
  logBytesOfRequest,
} from '../measured.ts';
import { memoryGbOf, processorsOf, taskDefinitionOf } from '../tasks-for-load.ts';
import { objectOf, referredBy, type TemplateResource } from '../template.ts';
import { logCharges } from './log-charges.ts';
import type { Charge, PriceRule, RuleContext } from './rule.ts';

/** The tasks, by the second; and the line of the log that each request writes. */
const ofService: PriceRule = (_service, context) => {
  const { template, tasks, choices, demand } = context;
  const definition = taskDefinitionOf(template);
  const processor = choices.architecture ?? objectOf(definition.properties.RuntimePlatform).CpuArchitecture ?? 'X86_64';
  const kind = processor === 'ARM64' ? 'arm' : 'x86';
  const size = `${decimalText(processorsOf(template), 3)} vCPU, ${decimalText(memoryGbOf(template), 3)} GB, ${processor}`;
  const always = `${tasks.least} tasks that always run (${size})`;
  const more = `tasks beyond them, up to ${tasks.atPeak} (${size})`;
  const part = (item: string, hours: typeof tasks.baseHours, discount: string | null): Charge[] =>
    (
      [
        [`fargate.${kind}.vcpu`, multiply(hours, processorsOf(template))],
        [`fargate.${kind}.memory`, multiply(hours, memoryGbOf(template))],
      ] as const
    ).map(([rate, quantity]) => ({
      service: 'Fargate',
      item,
      rate,
      quantity,
      ...(discount === null ? {} : { discount }),
    }));
  return [
    ...part(always, tasks.baseHours, choices.savingsPlan ? 'discount.savings-plan.fargate' : null),
    ...part(more, tasks.moreHours, choices.spot ? 'discount.spot.fargate' : null),
    ...logCharges(
      'a line a request',
      gigabytes(demand.requestsOfMonth, logBytesOfRequest),
      logGroupOf(definition),
      context,
    ),
  ];
};

/** Where the tasks' standard output goes. */
function logGroupOf(definition: TemplateResource): string | null {
  const [container] = definition.properties.ContainerDefinitions as TemplateResource['properties'][];
  const { Options } = objectOf(container?.LogConfiguration);
  return referredBy(objectOf(Options)['awslogs-group']);
}

/** A cluster costs nothing, and Container Insights on it does. */
const ofCluster: PriceRule = ({ properties }, { tasks }) => {
  const settings = (properties.ClusterSettings ?? []) as TemplateResource['properties'][];
  const value = settings.find(({ Name }) => Name === 'containerInsights')?.Value;
  if (value !== 'enabled' && value !== 'enhanced') return [];
  const service = 'Container Insights';
  const minutes = multiply(hoursOfMonth, exact(60));
  const perMinute = multiply(add(exact(2), exact(2n * tasks.atMean)), insightsBytesOfMinute);
  return [
    { service, item: 'metrics', rate: `insights.metric.${value}`, quantity: insightsMetrics[value] },
    { service, item: 'performance log', rate: 'logs.ingest', quantity: gigabytes(minutes, perMinute) },
  ];
};

/** The scaling is free, and watches by alarms of its own. */
const ofScalingPolicy: PriceRule = (_policy, _context) => [
  {
    service: 'Metrics and alarms',
    item: 'alarms of the scaling',
    rate: 'cloudwatch.alarm',
    quantity: alarmsOfScalingPolicy,
  },
];

/** A definition costs nothing; tasks of it do, and those of the service are counted with the service. */
const ofDefinition: PriceRule = (_definition, _context: RuleContext) => [];

/** What the service and its tasks cost, by the types of their resources. */
export const rulesOfTasks: Record<string, PriceRule> = {
  'AWS::ECS::Service': ofService,
  'AWS::ECS::Cluster': ofCluster,
  'AWS::ECS::TaskDefinition': ofDefinition,
  'AWS::ApplicationAutoScaling::ScalingPolicy': ofScalingPolicy,
};
