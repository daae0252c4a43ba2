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

interface Widget {
  x: number;
  y: number;
  width: number;
  height: number;
  properties: { alarms?: string[]; metrics?: unknown[][] };
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
    metrics = widgets.flatMap(({ properties }) => properties.metrics ?? []).map((metric) => metric.map(String));
  }, packagingMillis);

  /** What the lines of a metric are of, by their first dimension's value. */
  const linesOf = (namespace: string, name: string) =>
    metrics.filter((metric) => metric[0] === namespace && metric[1] === name).map((metric) => metric[3]);

  test('shows every alarm that there is', () => {
    const alarms = ofType(packaged.template, 'AWS::CloudWatch::Alarm').map(([name]) => `\${${name}.Arn}`);
    expect(widgets[0]?.properties.alarms?.toSorted()).toEqual(alarms.toSorted());
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
