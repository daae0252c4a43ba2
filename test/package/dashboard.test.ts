import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  ofType,
  type Packaged,
  type Properties,
  packageStage,
  packagingMillis,
  referencesIn,
  resource,
  trialOfProd,
} from './packaged-template.ts';

/** A metric's place and options, or an expression over others. */
type Part = string | { id?: string; label?: string; visible?: boolean; expression?: string };

interface Widget {
  type: string;
  x: number;
  y: number;
  width: number;
  height: number;
  properties: { title: string; alarms?: string[]; metrics?: Part[][] };
}

/** A text with CloudFormation's references, and what some of them stand for. */
type Sub = { 'Fn::Sub': [string, Properties] };

describe.each(['dev', 'prod'])('the dashboard of %s', (stage) => {
  const isProd = stage === 'prod';
  let packaged: Packaged;
  let body: Sub;
  let widgets: Widget[];
  let metrics: string[][];
  beforeAll(async () => {
    packaged = await packageStage(stage, isProd ? trialOfProd : {});
    body = resource(packaged.template, 'Dashboard').DashboardBody as Sub;
    widgets = (JSON.parse(body['Fn::Sub'][0]) as { widgets: Widget[] }).widgets;
    // What is drawn: a line that an expression alone uses is in no graph.
    metrics = widgets
      .flatMap(({ properties }) => properties.metrics ?? [])
      .filter((metric) => metric.length > 1)
      .filter((metric) => !metric.some((part) => typeof part === 'object' && part.visible === false))
      .map((metric) => metric.map(String));
  }, packagingMillis);

  /** What the lines of a metric are of, by their first dimension's value. */
  const linesOf = (namespace: string, name: string) =>
    metrics.filter((metric) => metric[0] === namespace && metric[1] === name).map((metric) => metric[3]);

  test('shows every alarm that there is', () => {
    const alarms = ofType(packaged.template, 'AWS::CloudWatch::Alarm').map(([name]) => `\${${name}.Arn}`);
    const shown = widgets.flatMap(({ properties }) => properties.alarms ?? []);
    expect(shown.toSorted()).toEqual(alarms.toSorted());
  });

  test('answers in its first row whether customers are served, and how near each thing is to run out', () => {
    const first = widgets.filter(({ y }) => y === 0);
    expect(first.map(({ properties }) => properties.title)).toEqual([
      'Requests that were served, percent',
      'Tasks that answer; least and most',
      'About to run out: percent of where it rings',
      'Books that run out, of all tenants',
    ]);
    for (const { properties } of first) {
      const parts = properties.metrics!.flatMap((metric) => metric.slice(-1));
      const options = parts.filter((part) => typeof part === 'object');
      const ids = options.flatMap(({ id }) => id ?? []);
      expect(new Set(ids).size).toBe(ids.length);
      // An expression names metrics of its own widget alone, and functions, whose names are in capitals.
      for (const { expression = '' } of options)
        for (const [name] of expression.matchAll(/[a-z]\w*/gi)) expect([...ids, 'IF', 'FILL']).toContain(name);
    }
    const ofThird = first[2]!.properties.metrics!.flatMap(([part]) => (typeof part === 'object' ? [part] : []));
    const expressionOf = Object.fromEntries(ofThird.map(({ label, expression }) => [label, expression]));
    const rings = (alarm: string) => resource(packaged.template, alarm).Threshold;
    expect(expressionOf).toEqual({
      'Database: CPU': `100 * cpu / ${rings('DatabaseCpuAlarm')}`,
      'Database: connections': `100 * connections / ${rings('DatabaseConnectionsAlarm')}`,
      'Database: disk': `100 * ${rings('DatabaseStorageAlarm')} / disk`,
      'Database: memory': `100 * ${rings('DatabaseMemoryAlarm')} / memory`,
      'Database: transaction ids': `100 * ids / ${rings('DatabaseTransactionIdsAlarm')}`,
      'Queue age': `100 * age / ${rings('QueueAgeAlarm')}`,
      'Tasks: memory': `100 * taskMemory / ${rings('TaskMemoryAlarm')}`,
      'Tasks: of the most': '100 * tasks / most',
    });
  });

  test('has a line for each database and for each node of the cache', () => {
    const databases = ['Database', ...(isProd ? ['DatabaseReplica'] : [])].map((name) => `\${${name}}`);
    for (const name of ['CPUUtilization', 'DatabaseConnections', 'FreeableMemory', 'FreeStorageSpace']) {
      expect([name, linesOf('AWS/RDS', name)]).toEqual([name, databases]);
    }
    expect(linesOf('AWS/RDS', 'ReplicaLag')).toEqual(databases.slice(1));
    const nodes = ['001', ...(isProd ? ['002'] : [])].map((node) => `\${Cache}-${node}`);
    for (const name of [
      'CacheHits',
      'CacheMisses',
      'Evictions',
      'EngineCPUUtilization',
      'DatabaseMemoryUsagePercentage',
    ]) {
      expect([name, linesOf('AWS/ElastiCache', name)]).toEqual([name, nodes]);
    }
  });

  test('is the stage’s own: its metrics carry the stage’s name', () => {
    expect(resource(packaged.template, 'Dashboard').DashboardName).toBe(`qurable-${stage}`);
    const namespaces = metrics.map(([namespace]) => namespace!).filter((namespace) => namespace.startsWith('Qurable'));
    expect([...new Set(namespaces)]).toEqual([`Qurable/${stage}`]);
  });

  test('refers to what the template makes, and lays no widget over another', () => {
    const references = referencesIn(body).filter((name) => !(name in body['Fn::Sub'][1]));
    expect(references.filter((name) => !(name in packaged.template.Resources))).toEqual([]);
    const cells = widgets.flatMap(({ x, y, width, height }) =>
      Array.from({ length: width * height }, (_, cell) => `${x + (cell % width)},${y + Math.floor(cell / width)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
  });
});
