import { callsOfSchedule } from '../calls-of-schedule.ts';
import { add, divide, type Exact, exact, multiply, nothing } from '../exact.ts';
import { gigabytes } from '../load.ts';
import {
  bucketGb,
  callsWithoutSchedule,
  functionLogGb,
  keyCalls,
  logBytesOfRequest,
  metricsOfFunctions,
  readsOfSecret,
  registryGb,
  secondsOfCall,
} from '../measured.ts';
import {
  listOf,
  objectOf,
  referredBy,
  type TemplateResource,
  type TemplateValue,
  textOf,
  wholeOf,
} from '../template.ts';
import { logCharges } from './log-charges.ts';
import type { Charge, PriceRule, RuleContext } from './rule.ts';

const million = exact(1_000_000);
const tenThousand = exact(10_000);

const metric = (item: string, quantity: Exact): Charge => ({
  service: 'Metrics and alarms',
  item,
  rate: 'cloudwatch.metric',
  quantity,
});

/** An alarm is charged by the metrics that it looks at. */
const ofAlarm: PriceRule = (alarm) => {
  const looksAt = listOf(alarm, 'Metrics').filter((part) => 'MetricStat' in objectOf(part)).length;
  const quantity = exact('MetricName' in alarm.properties ? 1 : looksAt);
  return [{ service: 'Metrics and alarms', item: 'alarms', rate: 'cloudwatch.alarm', quantity }];
};

const ofCompositeAlarm: PriceRule = () => [
  { service: 'Metrics and alarms', item: 'composite alarms', rate: 'cloudwatch.composite-alarm', quantity: exact(1) },
];

/** Three of an account are free. */
const ofDashboard: PriceRule = (dashboard, { template }) => {
  const at = template.ofType(dashboard.type).findIndex(({ name }) => name === dashboard.name);
  if (at < 3) return [];
  return [{ service: 'Metrics and alarms', item: 'dashboards', rate: 'cloudwatch.dashboard', quantity: exact(1) }];
};

const ofMetricFilter: PriceRule = (filter) => [
  metric('metrics from the log', exact(listOf(filter, 'MetricTransformations').length)),
];

/**
 * Each use of a rotated key's former material is charged as a key, for the first two: from the third year on it is
 * three.
 */
const ofKey: PriceRule = (key) => [
  {
    service: 'Keys',
    item: 'a key and its two rotations',
    rate: 'kms.key',
    quantity: exact(key.properties.EnableKeyRotation === true ? 3 : 1),
  },
  { service: 'Keys', item: 'uses', rate: 'kms.ten-thousand-calls', quantity: divide(keyCalls, tenThousand) },
];

const ofSecret: PriceRule = () => [
  { service: 'Secrets', item: 'secrets', rate: 'secrets.secret', quantity: exact(1) },
  {
    service: 'Secrets',
    item: 'reads',
    rate: 'secrets.ten-thousand-calls',
    quantity: divide(readsOfSecret, tenThousand),
  },
];

/** What is in a bucket no template says: artifacts, exports where a lifecycle moves them on, else access logs. */
const ofBucket: PriceRule = (bucket, context) => {
  const [item, quantity] = contentOf(bucket, context);
  return [{ service: 'Storage', item, rate: 's3.standard', quantity }];
};

function contentOf(bucket: TemplateResource, { template, demand }: RuleContext): [string, Exact] {
  if (bucket.name === 'ServerlessDeploymentBucket') return ['artifacts of deployments', bucketGb.artifacts];
  if (JSON.stringify(bucket.properties.LifecycleConfiguration ?? {}).includes('"Transitions"')) {
    return ['what operators export', bucketGb.exports];
  }
  const attributes = template
    .ofType('AWS::ElasticLoadBalancingV2::LoadBalancer')
    .flatMap((balancer) => listOf(balancer, 'LoadBalancerAttributes').map(objectOf));
  const isOn = attributes.some(({ Key, Value }) => Key === 'access_logs.s3.enabled' && String(Value) === 'true');
  return ['access logs', isOn ? gigabytes(demand.requestsOfMonth, logBytesOfRequest) : nothing];
}

const ofRepository: PriceRule = () => [
  { service: 'Registry', item: 'images of all stages', rate: 'ecr.storage', quantity: registryGb },
];

const ofFunction: PriceRule = (lambda, context) => {
  const service = 'Functions and schedules';
  const calls = add(callsWithoutSchedule, ...schedulesOf(lambda, context));
  const memory = divide(exact(wholeOf(lambda, 'MemorySize')), exact(1024));
  const architecture = listOf(lambda, 'Architectures')[0] === 'arm64' ? 'arm' : 'x86';
  const functions = exact(context.template.ofType(lambda.type).length);
  const group = referredBy(objectOf(lambda.properties.LoggingConfig).LogGroup) ?? logGroupOf(lambda, context);
  return [
    { service, item: 'calls of functions', rate: 'lambda.million-calls', quantity: divide(calls, million) },
    {
      service,
      item: 'time of functions',
      rate: `lambda.${architecture}.gb-second`,
      quantity: multiply(calls, secondsOfCall, memory),
    },
    metric('metrics of functions', divide(metricsOfFunctions, functions)),
    ...logCharges('functions', functionLogGb, group, context),
  ];
};

/** The calls of each schedule that calls the function. */
function schedulesOf(lambda: TemplateResource, { template }: RuleContext): Exact[] {
  return template
    .ofType('AWS::Scheduler::Schedule')
    .filter(({ properties }) => referredBy(objectOf(properties.Target).Arn) === lambda.name)
    .map((schedule) => callsOfSchedule(textOf(schedule, 'ScheduleExpression'), schedule.name));
}

function logGroupOf(lambda: TemplateResource, { template }: RuleContext): string | null {
  const name: TemplateValue = `/aws/lambda/${lambda.properties.FunctionName}`;
  return (
    template.ofType('AWS::Logs::LogGroup').find(({ properties }) => properties.LogGroupName === name)?.name ?? null
  );
}

const ofSchedule: PriceRule = (schedule) => [
  {
    service: 'Functions and schedules',
    item: 'calls of schedules',
    rate: 'scheduler.million-calls',
    quantity: divide(callsOfSchedule(textOf(schedule, 'ScheduleExpression'), schedule.name), million),
  },
];

/** What everything else costs, by the types of its resources. */
export const rulesOfTheRest: Record<string, PriceRule> = {
  'AWS::CloudWatch::Alarm': ofAlarm,
  'AWS::CloudWatch::CompositeAlarm': ofCompositeAlarm,
  'AWS::CloudWatch::Dashboard': ofDashboard,
  'AWS::Logs::MetricFilter': ofMetricFilter,
  'AWS::KMS::Key': ofKey,
  'AWS::SecretsManager::Secret': ofSecret,
  'AWS::S3::Bucket': ofBucket,
  'AWS::ECR::Repository': ofRepository,
  'AWS::Lambda::Function': ofFunction,
  'AWS::Scheduler::Schedule': ofSchedule,
};
