import { type CostTemplate, type TemplateProperties, templateOf } from '../../../operations/cost/template.ts';

type Resources = Record<string, { Type: string; Properties?: TemplateProperties }>;

const calendar = {
  timeZone: 'UTC',
  base: { min: 2, max: 10 },
  leadMinutes: 15,
  trailMinutes: 120,
  blackFriday: { from: '08:00', to: '23:00', min: 10, max: 50 },
  events: [],
};

/** What the estimate needs at least: a service, what it runs and between how many tasks, and a database. */
const least: Resources = {
  Service: { Type: 'AWS::ECS::Service', Properties: { TaskDefinition: { Ref: 'TaskDefinition' } } },
  TaskDefinition: {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: {
      Cpu: '512',
      Memory: '1024',
      RuntimePlatform: { CpuArchitecture: 'X86_64' },
      ContainerDefinitions: [{ LogConfiguration: { Options: { 'awslogs-group': { Ref: 'ApiLogGroup' } } } }],
    },
  },
  ApiLogGroup: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 30 } },
  Capacity: { Type: 'Custom::Capacity', Properties: { Calendar: JSON.stringify(calendar) } },
  ScalingByRequests: {
    Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
    Properties: {
      TargetTrackingScalingPolicyConfiguration: {
        PredefinedMetricSpecification: { PredefinedMetricType: 'ALBRequestCountPerTarget' },
        TargetValue: 30_000,
      },
    },
  },
  Database: {
    Type: 'AWS::RDS::DBInstance',
    Properties: {
      DBInstanceIdentifier: 'qurable-small',
      DBInstanceClass: 'db.t4g.medium',
      MultiAZ: true,
      AllocatedStorage: 100,
      MaxAllocatedStorage: 500,
      BackupRetentionPeriod: 7,
    },
  },
};

/** The small template with other resources; one that is null is left out. */
export function smallTemplate(more: Record<string, Resources[string] | null> = {}): CostTemplate {
  const all = Object.entries({ ...least, ...more }).filter((entry) => entry[1] !== null) as [
    string,
    Resources[string],
  ][];
  return templateOf(Object.fromEntries(all), 'the small template');
}
