// How one version takes another's place (`deployment` in stages.yml), as ECS and the load balancer are told.

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: CloudFormation's references
/** Minutes in which alarms are heeded while the new tasks serve a twentieth of the requests, and while they serve all. */
const canaryMinutes = 10;
const bakeMinutes = 15;
const canaryPercent = 5;

const at = (name, attribute) => ({ 'Fn::GetAtt': [name, attribute] });
const ref = (name) => ({ Ref: name });

/**
 * What hangs on the strategy, for the templates.
 * @param checked the parameters of a stage
 * @param entrance which listeners there are, and the name that the certificate is for
 */
function deploymentStrategy(checked, { entrance, host }) {
  const isRolling = checked.deployment === 'rolling';
  const groups = isRolling ? ['TargetGroup'] : ['TargetGroup', 'AlternateTargetGroup'];
  return {
    file: isRolling ? 'rolling' : 'shifted',
    configuration: isRolling ? rolled(checked) : shifted(checked.deployment),
    loadBalancers: [
      {
        ContainerName: 'qurable-api',
        ContainerPort: 3000,
        TargetGroupArn: ref('TargetGroup'),
        ...(isRolling ? {} : { AdvancedConfiguration: advanced }),
      },
    ],
    scalingByRequests: {
      ...(isRolling ? requestsOfOneGroup : { CustomizedMetricSpecification: requestsOf(groups) }),
      // Counted a minute; resources/stages.yml says how it is derived.
      TargetValue: checked.requestsPerTaskPerMinute,
      ScaleOutCooldown: 60,
      ScaleInCooldown: 180,
    },
    healthyMetrics: healthyOf(groups),
    address: addressOf(entrance, host),
    listener: ref(entrance === 'https' ? 'HttpsListener' : 'HttpListener'),
    groups,
  };
}

/** Never fewer tasks than before, and a few of the new ones first. */
function rolled({ rollingMaxPercent }) {
  return {
    MinimumHealthyPercent: 100,
    MaximumPercent: rollingMaxPercent,
    DeploymentCircuitBreaker: { Enable: true, Rollback: true },
    // Tasks that start but answer with errors are rolled back as well.
    Alarms: { Enable: true, Rollback: true, AlarmNames: [ref('ErrorRateAlarm')] },
  };
}

/** A second set of all tasks, asked before any client reaches it. ECS's circuit breaker is for rolled tasks alone. */
function shifted(deployment) {
  return {
    Strategy: deployment === 'canary' ? 'CANARY' : 'BLUE_GREEN',
    MinimumHealthyPercent: 100,
    MaximumPercent: 200,
    ...(deployment === 'canary'
      ? { CanaryConfiguration: { CanaryPercent: canaryPercent, CanaryBakeTimeInMinutes: canaryMinutes } }
      : {}),
    BakeTimeInMinutes: bakeMinutes,
    LifecycleHooks: [
      {
        HookTargetArn: at('AskDashnewDashtasksLambdaFunction', 'Arn'),
        RoleArn: at('DeploymentHookRole', 'Arn'),
        LifecycleStages: ['POST_TEST_TRAFFIC_SHIFT'],
      },
    ],
    Alarms: {
      Enable: true,
      Rollback: true,
      AlarmNames: [ref('ErrorRateAlarm'), ref('LatencyAlarm'), ref('ErrorLinesAlarm')],
    },
  };
}

const advanced = {
  AlternateTargetGroupArn: ref('AlternateTargetGroup'),
  ProductionListenerRule: ref('ProductionRule'),
  TestListenerRule: ref('NewTasksRule'),
  RoleArn: at('TrafficShiftRole', 'Arn'),
};

const requestsOfOneGroup = {
  PredefinedMetricSpecification: {
    PredefinedMetricType: 'ALBRequestCountPerTarget',
    ResourceLabel: { 'Fn::Sub': '${LoadBalancer.LoadBalancerFullName}/${TargetGroup.TargetGroupFullName}' },
  },
};

/** Requests a task, whichever of the groups has the tasks: the predefined metric is of one group alone. */
function requestsOf(groups) {
  return { Metrics: overGroups(groups, 'requests a task', 'RequestCountPerTarget', 'Sum', (ids) => ids.join(' + ')) };
}

/** Tasks that answer; in no group's figures, none do. */
function healthyOf(groups) {
  const most = (ids) => (ids.length === 1 ? ids[0] : `MAX([${ids.join(', ')}])`);
  return overGroups(groups, 'tasks that answer', 'HealthyHostCount', 'Minimum', most, 60);
}

function overGroups(groups, Label, MetricName, Stat, combine, Period) {
  const metrics = groups.map((group, index) => ({
    Id: `group${index + 1}`,
    ReturnData: false,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/ApplicationELB',
        MetricName,
        Dimensions: [
          { Name: 'LoadBalancer', Value: at('LoadBalancer', 'LoadBalancerFullName') },
          { Name: 'TargetGroup', Value: at(group, 'TargetGroupFullName') },
        ],
      },
      ...(Period === undefined ? {} : { Period }),
      Stat,
    },
  }));
  // A group without tasks reports nothing.
  const ids = metrics.map(({ Id }) => (groups.length === 1 ? Id : `FILL(${Id}, 0)`));
  return [{ Id: 'all', Label, Expression: combine(ids), ReturnData: true }, ...metrics];
}

function addressOf(entrance, host) {
  if (entrance === 'http') return { 'Fn::Sub': 'http://${LoadBalancer.DNSName}' };
  return { 'Fn::Sub': ['https://${Host}', { Host: host }] };
}

/** What only a strategy rules out. @returns null, or a sentence */
function strategyTrouble({ deployment, clientCidr, certificateArn, domainName }) {
  if (deployment === 'rolling') return null;
  if (clientCidr !== '0.0.0.0/0') {
    return `deployment ${deployment} asks the new tasks through the load balancer, and clientCidr ${clientCidr} keeps the function out: set deployment to rolling, or clientCidr to 0.0.0.0/0`;
  }
  if (certificateArn !== '' && domainName === '') {
    return `deployment ${deployment} asks the new tasks by the name that the certificate is for: set domainName`;
  }
  return null;
}

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: CloudFormation's references

module.exports = { deploymentStrategy, strategyTrouble };
