// One page a stage that shows how it goes, top to bottom as a request travels. It is made here and not written down, because
// a widget has a line for each node of the cache and each database that the stage has.

const wide = 24;
/** Three beside each other. */
const third = wide / 3;
const rowHeight = 6;
const alarmsHeight = 4;

/**
 * A dashboard's body, as CloudFormation takes it: a text with references to the stack's resources.
 * @param stage its metrics are its own: `Qurable/<stage>`
 * @param cacheNodes how many nodes the cache has; each has a line
 */
function dashboardBody({ stage, cacheNodes, hasReplica }) {
  const metrics = metricsOf(stage, cacheNodes, hasReplica);
  const body = { widgets: [alarms(hasReplica), ...metrics.map(place), errorLines(metrics.length)] };
  return {
    'Fn::Sub': [
      JSON.stringify(body),
      {
        Lb: { 'Fn::GetAtt': ['LoadBalancer', 'LoadBalancerFullName'] },
        Tg: { 'Fn::GetAtt': ['TargetGroup', 'TargetGroupFullName'] },
      },
    ],
  };
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: CloudFormation's references
function alarms(hasReplica) {
  const names = [
    ...['ErrorRate', 'Latency', 'NoHealthyTargets', 'QueueAge', 'ErrorLines', 'LateMarks', 'TaskCpu', 'TaskMemory'],
    ...['DatabaseCpu', 'DatabaseConnections', 'DatabaseStorage', 'DatabaseMemory', 'DatabaseTransactionIds'],
    ...['DatabaseCredits', ...(hasReplica ? ['ReplicaLag'] : []), 'CacheEvictions', 'CacheCpu', 'CacheMemory'],
    ...['SnapshotErrors', 'ScaleErrors', 'ScaleSilence', 'RotateErrors', 'FailedSchedule'],
  ];
  const properties = { title: 'Alarms', alarms: names.map((name) => `\${${name}Alarm.Arn}`) };
  return { type: 'alarm', x: 0, y: 0, width: wide, height: alarmsHeight, properties };
}

function metricsOf(stage, cacheNodes, hasReplica) {
  const ofLoadBalancer = ['LoadBalancer', '${Lb}'];
  const ofService = ['ClusterName', '${Cluster}', 'ServiceName', '${Service.Name}'];
  const instances = [
    { label: 'database', of: ['DBInstanceIdentifier', '${Database}'] },
    ...(hasReplica ? [{ label: 'replica', of: ['DBInstanceIdentifier', '${DatabaseReplica}'] }] : []),
  ];
  const ofInstances = (name, options = {}) =>
    instances.map(({ label, of }) => line('AWS/RDS', name, of, { ...options, label: `${label} ${name}` }));
  const nodes = Array.from({ length: cacheNodes }, (_, index) => `00${index + 1}`);
  const ofNodes = (name, options = {}) =>
    nodes.map((node) =>
      line('AWS/ElastiCache', name, ['CacheClusterId', `\${Cache}-${node}`], { ...options, label: `${node} ${name}` }),
    );
  const own = `Qurable/${stage}`;
  const alb = 'AWS/ApplicationELB';
  return [
    widget('Requests a minute', 'Sum', [
      line(alb, 'RequestCount', ofLoadBalancer),
      line(alb, 'HTTPCode_Target_4XX_Count', ofLoadBalancer),
      line(alb, 'HTTPCode_Target_5XX_Count', ofLoadBalancer),
      line(alb, 'HTTPCode_ELB_5XX_Count', ofLoadBalancer),
    ]),
    widget('Response time, seconds', 'Average', [
      line(alb, 'TargetResponseTime', ofLoadBalancer),
      line(alb, 'TargetResponseTime', ofLoadBalancer, { stat: 'p50' }),
      line(alb, 'TargetResponseTime', ofLoadBalancer, { stat: 'p99' }),
    ]),
    widget('Refused by the firewall', 'Sum', [
      line('AWS/WAFV2', 'BlockedRequests', [
        ...['WebACL', `qurable-${stage}`, 'Region', '${AWS::Region}', 'Rule', 'ALL'],
      ]),
    ]),

    widget('Tasks: CPU and memory, percent', 'Average', [
      line('AWS/ECS', 'CPUUtilization', ofService),
      line('AWS/ECS', 'MemoryUtilization', ofService),
    ]),
    widget('Tasks that answer; least and most', 'Maximum', [
      line(alb, 'HealthyHostCount', ['TargetGroup', '${Tg}', ...ofLoadBalancer]),
      line(own, 'CapacityMin', ['service', 'qurable-scale']),
      line(own, 'CapacityMax', ['service', 'qurable-scale']),
    ]),
    widget('Queue age, milliseconds', 'Maximum', [line(own, 'QueueAge', [])]),

    widget('Databases: CPU, percent', 'Average', ofInstances('CPUUtilization')),
    widget('Databases: connections', 'Maximum', ofInstances('DatabaseConnections')),
    widget('Databases: latency of the disk, seconds', 'Average', [
      ...ofInstances('WriteLatency'),
      ...ofInstances('WriteIOPS', { yAxis: 'right' }),
      ...ofInstances('ReadIOPS', { yAxis: 'right' }),
    ]),

    widget('Databases: free memory, bytes', 'Minimum', ofInstances('FreeableMemory')),
    widget('Databases: free storage, bytes', 'Minimum', ofInstances('FreeStorageSpace')),
    widget('Databases: seconds behind, and credits', 'Maximum', [
      ...(hasReplica ? [line('AWS/RDS', 'ReplicaLag', instances[1].of, { label: 'replica ReplicaLag' })] : []),
      ...ofInstances('CPUCreditBalance', { stat: 'Minimum', yAxis: 'right' }),
    ]),

    widget('Cache: hits, misses and evictions', 'Sum', [
      ...ofNodes('CacheHits'),
      ...ofNodes('CacheMisses'),
      ...ofNodes('Evictions', { yAxis: 'right' }),
    ]),
    widget('Cache: CPU and memory, percent', 'Average', [
      ...ofNodes('EngineCPUUtilization'),
      ...ofNodes('DatabaseMemoryUsagePercentage'),
    ]),
    widget('Functions: calls that failed', 'Sum', [
      ...['Migrate', 'Rotate', 'Scale', 'Snapshot'].map((name) =>
        line('AWS/Lambda', 'Errors', ['FunctionName', `\${${name}LambdaFunction}`]),
      ),
    ]),
  ];
}

function errorLines(position) {
  const query =
    "SOURCE '${ApiLogGroup}' | filter level in ['error', 'fatal'] | fields @timestamp, msg | sort @timestamp desc | limit 20";
  const properties = { title: 'The latest errors', region: '${AWS::Region}', query, view: 'table' };
  return { type: 'log', ...placeOf(position), x: 0, width: wide, properties };
}

/** A widget of metrics, each with the statistic unless its line has its own. */
function widget(title, stat, metrics) {
  return { type: 'metric', properties: { title, region: '${AWS::Region}', period: 60, stat, metrics } };
}
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: CloudFormation's references

function line(namespace, name, dimensions, options) {
  return [namespace, name, ...dimensions, ...(options === undefined ? [] : [options])];
}

function place(item, position) {
  return { ...item, ...placeOf(position) };
}

function placeOf(position) {
  const x = (position % 3) * third;
  return { x, y: alarmsHeight + Math.floor(position / 3) * rowHeight, width: third, height: rowHeight };
}

module.exports = { dashboardBody };
