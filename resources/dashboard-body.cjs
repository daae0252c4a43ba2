// One page a stage. Its first row answers whether customers are being served, and whether anything is about to run out, books'
// codes too; then comes how it goes, top to bottom as a request travels. It is made here and not written down, because a widget has a line for
// each node of the cache and each database that the stage has.

const wide = 24;
/** Four beside each other in the first row, three below. */
const quarter = wide / 4;
const third = wide / 3;
const rowHeight = 6;
const alarmsHeight = 4;

/**
 * A dashboard's body, as CloudFormation takes it: a text with references to the stack's resources.
 * @param stage its metrics are its own: `Qurable/<stage>`
 * @param targetGroups the load balancer's, of which one at a time has the tasks unless one version takes another's place
 * @param cacheNodes how many nodes the cache has; each has a line
 * @param hasDrill whether restore drills are made, which have alarms
 * @param rings at which number of connections, and at how many free bytes of the disk, an alarm of the database rings
 */
function dashboardBody({ stage, targetGroups, cacheNodes, hasReplica, hasDrill, rings }) {
  const first = firstRow(stage, targetGroups, rings);
  const metrics = metricsOf(stage, cacheNodes, hasReplica);
  const places = first.map((item, index) => ({ ...item, x: index * quarter, y: 0, width: quarter, height: rowHeight }));
  const body = {
    widgets: [
      ...places,
      ...metrics.map(place),
      alarms(hasReplica, hasDrill),
      errorLines(Math.ceil(metrics.length / 3) * 3),
    ],
  };
  return {
    'Fn::Sub': [
      JSON.stringify(body),
      {
        Lb: { 'Fn::GetAtt': ['LoadBalancer', 'LoadBalancerFullName'] },
        ...Object.fromEntries(targetGroups.map((name) => [name, { 'Fn::GetAtt': [name, 'TargetGroupFullName'] }])),
      },
    ],
  };
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: CloudFormation's references
const alb = 'AWS/ApplicationELB';
const ofLoadBalancer = ['LoadBalancer', '${Lb}'];
const ofTargets = (group) => ['TargetGroup', `\${${group}}`, ...ofLoadBalancer];
const ofService = ['ClusterName', '${Cluster}', 'ServiceName', '${Service.Name}'];
const ofDatabase = ['DBInstanceIdentifier', '${Database}'];
const ofScale = ['service', 'qurable-scale'];

function alarms(hasReplica, hasDrill) {
  const names = [
    ...['ErrorRate', 'Latency', 'NoHealthyTargets', 'QueueAge', 'ErrorLines', 'LateMarks', 'TaskCpu', 'TaskMemory'],
    ...['DatabaseCpu', 'DatabaseConnections', 'DatabaseStorage', 'DatabaseMemory', 'DatabaseTransactionIds'],
    ...['DatabaseCredits', ...(hasReplica ? ['ReplicaLag'] : []), 'CacheEvictions', 'CacheCpu', 'CacheMemory'],
    ...[
      'SnapshotErrors',
      'ScaleErrors',
      'ScaleSilence',
      'RotateErrors',
      'FailedSchedule',
      'DeliverErrors',
      'WebhookDisabled',
      'AnnounceErrors',
    ],
    ...(hasDrill ? ['DrillFailed', 'DrillSilence'] : []),
  ];
  const properties = { title: 'Alarms', alarms: names.map((name) => `\${${name}Alarm.Arn}`) };
  return { type: 'alarm', x: 0, y: rowHeight, width: wide, height: alarmsHeight, properties };
}

/** Are customers being served, how many tasks serve them, and is anything about to run out? */
function firstRow(stage, targetGroups, rings) {
  const served = widget('Requests that were served, percent', 'Sum', [
    [
      {
        id: 'served',
        label: 'without a 5xx',
        expression: 'IF(requests > 0, 100 - 100 * (FILL(ofTasks, 0) + FILL(ofLoadBalancer, 0)) / requests)',
      },
    ],
    hidden(line(alb, 'RequestCount', ofLoadBalancer, { id: 'requests' })),
    hidden(line(alb, 'HTTPCode_Target_5XX_Count', ofLoadBalancer, { id: 'ofTasks' })),
    hidden(line(alb, 'HTTPCode_ELB_5XX_Count', ofLoadBalancer, { id: 'ofLoadBalancer' })),
  ]);
  Object.assign(served.properties, {
    yAxis: { left: { max: 100 } },
    annotations: { horizontal: [{ label: 'error-rate rings below', value: 99.9 }] },
  });
  const running = widget('Tasks that answer; least and most', 'Maximum', [
    ...targetGroups.map((group) => line(alb, 'HealthyHostCount', ofTargets(group), { stat: 'Minimum' })),
    line(`Qurable/${stage}`, 'CapacityMin', ofScale),
    line(`Qurable/${stage}`, 'CapacityMax', ofScale),
  ]);
  const near = nearAlarms(`Qurable/${stage}`, targetGroups, rings);
  const runningOut = widget('About to run out: percent of where it rings', 'Maximum', [
    ...near.map(([label, expression], index) => [{ id: `near${index + 1}`, label, expression }]),
    ...near.flatMap(([, , ...lines]) => lines).map(hidden),
  ]);
  Object.assign(runningOut.properties, {
    yAxis: { left: { min: 0 } },
    annotations: { horizontal: [{ label: 'rings', value: 100 }] },
  });
  const books = widget('Books that run out, of all tenants', 'Maximum', [
    line(`Qurable/${stage}`, 'LowBooks', [], { label: 'few codes left' }),
    line(`Qurable/${stage}`, 'ExhaustedBooks', [], { label: 'none left' }),
  ]);
  Object.assign(books.properties, { yAxis: { left: { min: 0 } } });
  return [served, running, runningOut, books];
}

/**
 * What may run out, each in percent of where its alarm rings (resources/alarms.yml; the tasks of the most there may be), so
 * that the highest line is the next to ring: a label, an expression, and the metrics that it is made of.
 */
function nearAlarms(own, targetGroups, rings) {
  const database = (name, id, stat = 'Maximum') => line('AWS/RDS', name, ofDatabase, { id, stat });
  const { connections, freeStorageBytes } = rings;
  const tasks = targetGroups.map((_, index) => (index === 0 ? 'tasks' : 'otherTasks'));
  return [
    ['Database: CPU', '100 * cpu / 80', database('CPUUtilization', 'cpu', 'Average')],
    ['Database: connections', `100 * connections / ${connections}`, database('DatabaseConnections', 'connections')],
    ['Database: disk', `100 * ${freeStorageBytes} / disk`, database('FreeStorageSpace', 'disk', 'Minimum')],
    ['Database: memory', '100 * 104857600 / memory', database('FreeableMemory', 'memory', 'Average')],
    ['Database: transaction ids', '100 * ids / 1000000000', database('MaximumUsedTransactionIDs', 'ids')],
    ['Queue age', '100 * age / 2000', line(own, 'QueueAge', [], { id: 'age' })],
    [
      'Tasks: memory',
      '100 * taskMemory / 85',
      line('AWS/ECS', 'MemoryUtilization', ofService, { id: 'taskMemory', stat: 'Average' }),
    ],
    [
      'Tasks: of the most',
      `100 * ${tasks.length === 1 ? 'tasks' : `(${tasks.map((id) => `FILL(${id}, 0)`).join(' + ')})`} / most`,
      ...targetGroups.map((group, index) => line(alb, 'HealthyHostCount', ofTargets(group), { id: tasks[index] })),
      line(own, 'CapacityMax', ofScale, { id: 'most' }),
    ],
  ];
}

function metricsOf(stage, cacheNodes, hasReplica) {
  const instances = [
    { label: 'database', of: ofDatabase },
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
    widget('Lines of errors; late marks, milliseconds', 'Sum', [
      line(own, 'ErrorLines', []),
      line(own, 'LateMarks', [], { stat: 'Maximum', yAxis: 'right' }),
    ]),
    widget('Queue age, milliseconds; members of a batch', 'Maximum', [
      line(own, 'QueueAge', [], { label: 'of any tenant' }),
      line(own, 'LightQueueAge', [], { label: 'of tenants with little waiting' }),
      line(own, 'BatchMembers', [], { stat: 'Average', yAxis: 'right' }),
    ]),

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
    widget('Connections waited for; the slower way taken', 'Maximum', [
      line(own, 'PoolWaiting', []),
      line(own, 'Fallbacks', [], { stat: 'Sum', yAxis: 'right' }),
    ]),
    widget('Functions: calls that failed', 'Sum', [
      ...['Migrate', 'Rotate', 'Scale', 'Snapshot', 'Deliver', 'Announce'].map((name) =>
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

/** The same line, for an expression alone. */
function hidden(metric) {
  return [...metric.slice(0, -1), { ...metric.at(-1), visible: false }];
}

function place(item, position) {
  return { ...item, ...placeOf(position) };
}

/** Three a row, below the first row and the alarms. */
function placeOf(position) {
  const row = Math.floor(position / 3);
  const y = rowHeight + alarmsHeight + row * rowHeight;
  return { x: (position % 3) * third, y, width: third, height: rowHeight };
}

module.exports = { dashboardBody };
