import { describe, expect, test } from '@jest/globals';
import { asPackaged, centsOfService, estimateMonth } from '../../../operations/cost/estimate-month.ts';
import { compare, exact } from '../../../operations/cost/exact.ts';
import type { Load } from '../../../operations/cost/load.ts';
import { readPrices } from '../../../operations/cost/read-prices.ts';
import type { TemplateProperties } from '../../../operations/cost/template.ts';
import { smallTemplate } from './small-template.ts';

const prices = readPrices('us-east-1');
const load = (requestsPerDay: number, more: Partial<Load> = {}): Load => ({
  requestsPerDay,
  requestsPerConnection: 10,
  hasBlackFriday: false,
  monthsKept: 1,
  ...more,
});
const monthOf = (
  requestsPerDay: number,
  more: Record<string, { Type: string; Properties?: TemplateProperties }> = {},
) => estimateMonth(smallTemplate(more), load(requestsPerDay), prices);
const linesOf = (month: ReturnType<typeof estimateMonth>, service: string) =>
  month.lines.filter((line) => line.service === service).map(({ item, cents }) => [item, cents]);

describe('the month of', () => {
  test('two tasks without any request is 1,460 hours of half a vCPU and of a gigabyte', () => {
    // 1,460 × 0.5 × 0.04048 = 29.5504, and 1,460 × 1 × 0.004445 = 6.4897.
    expect(linesOf(monthOf(0), 'Fargate')).toEqual([
      ['2 tasks that always run (0.5 vCPU, 1 GB, X86_64)', 2955n],
      ['2 tasks that always run (0.5 vCPU, 1 GB, X86_64)', 649n],
    ]);
  });

  test('a database in two zones with 100 GB is 730 hours and 100 GB at the rates for two zones, once', () => {
    // 730 × 0.130 = 94.90, and 100 × 0.230 = 23.00. AWS's rate is for both instances already.
    expect(linesOf(monthOf(0), 'Database')).toEqual([
      ['db.t4g.medium in two zones', 9490n],
      ['disk in two zones', 2300n],
    ]);
  });

  test('a copy of the database has a class of its own and its source’s disk', () => {
    const Copy = {
      Type: 'AWS::RDS::DBInstance',
      Properties: { SourceDBInstanceIdentifier: { Ref: 'Database' }, DBInstanceClass: 'db.t4g.medium' },
    };
    // 730 × 0.065 = 47.45, and 100 × 0.115 = 11.50.
    expect(linesOf(monthOf(0, { Copy }), 'Database').slice(2)).toEqual([
      ['copy for lists, db.t4g.medium', 4745n],
      ['disk of the copy', 1150n],
    ]);
  });

  test('a public load balancer is its hours, two addresses, the units of the load and what goes out', () => {
    const LoadBalancer = {
      Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
      Properties: { Type: 'application', Scheme: 'internet-facing', Subnets: ['a', 'b'] },
    };
    const month = monthOf(10_000_000, { LoadBalancer });
    // 304,166,666.67 requests of 2,200 bytes are 669.17 GB, a unit hour each: more than 4.63 connections a second ÷ 10
    // ÷ 25.
    expect(linesOf(month, 'Load balancer')).toEqual([
      ['by the hour', 1643n],
      ['units of the load', 535n],
    ]);
    // 2 × 730 × 0.005.
    expect(linesOf(month, 'Public addresses')).toEqual([['of the load balancer', 730n]]);
    // (304,166,666.67 × 1,200 + 30,416,666.67 × 5,000) bytes − 100 GB = 417.083 GB, × 0.09 = 37.5375.
    expect(linesOf(month, 'Data transfer')[1]).toEqual(['out, beyond the free 100 GB', 3754n]);
  });

  test('what goes out is charged by tiers', () => {
    const LoadBalancer = {
      Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
      Properties: { Type: 'application', Scheme: 'internet-facing', Subnets: ['a', 'b'] },
    };
    const month = monthOf(500_000_000, { LoadBalancer });
    const tiers = month.lines.filter(({ rate }) => rate.key.startsWith('transfer.out'));
    // 25,854.167 GB in all: 100 free, 10,140 at 0.09, the rest at 0.085.
    expect(tiers.map(({ rate, cents }) => [rate.usd, cents])).toEqual([
      ['0.09', 91_260n],
      ['0.085', 132_720n],
    ]);
  });

  test('a firewall is its list, its rules and every request', () => {
    const Firewall = { Type: 'AWS::WAFv2::WebACL', Properties: { Rules: [{}, {}, {}] } };
    // 304.1667 million × 0.60 = 182.50.
    expect(linesOf(monthOf(10_000_000, { Firewall }), 'Firewall')).toEqual([
      ['access control list', 500n],
      ['rules', 300n],
      ['requests', 18_250n],
    ]);
  });

  test('an interface endpoint is each of its zones, and a gateway endpoint is nothing', () => {
    const endpoint = (name: string, subnets: string[]) => ({
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        VpcEndpointType: subnets.length === 0 ? 'Gateway' : 'Interface',
        ServiceName: { 'Fn::Sub': `com.amazonaws.\${AWS::Region}.${name}` },
        SubnetIds: subnets,
      },
    });
    const more = { A: endpoint('ecr.api', ['a', 'b']), B: endpoint('logs', ['a', 'b']), C: endpoint('s3', []) };
    // 4 × 7.30, and 10.828 GB of log lines × 0.01.
    expect(linesOf(monthOf(1_000_000, more), 'Endpoints and NAT')).toEqual([
      ['interface endpoints, each zone', 2920n],
      ['log lines through theirs', 11n],
    ]);
  });

  test('an alarm is as many as the metrics that it looks at', () => {
    const metric = { MetricStat: {} };
    const more = {
      One: { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'CPUUtilization' } },
      Three: {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: { Metrics: [{ Expression: 'a+b+c' }, metric, metric, metric] },
      },
    };
    expect(linesOf(monthOf(0, more), 'Metrics and alarms')).toEqual([
      ['alarms of the scaling', 20n],
      ['alarms', 40n],
    ]);
  });

  test('lines of one kind are one line, rounded once, and the total is what the lines add up to', () => {
    const secret = { Type: 'AWS::SecretsManager::Secret' };
    const month = monthOf(0, { A: secret, B: secret, C: secret });
    // Three times 0.005 for reads are 0.015, which is 2 cents and not three times one.
    expect(linesOf(month, 'Secrets')).toEqual([
      ['secrets', 120n],
      ['reads', 2n],
    ]);
    expect(month.cents).toBe(month.lines.reduce((sum, { cents }) => sum + cents, 0n));
    expect(centsOfService(month, 'Secrets', 'Database')).toBe(11_912n);
  });
});

describe('the tasks of a load', () => {
  test('follow from the processor time a request and from the scaling’s target, and are never fewer than the least', () => {
    const tasksAt = (requests: number) => {
      const { atMean, atPeak } = monthOf(requests).tasks;
      return [atMean, atPeak];
    };
    expect(tasksAt(10_000)).toEqual([2n, 2n]);
    expect(tasksAt(1_000_000)).toEqual([2n, 2n]);
    // 2,314.8 a second at the peak: 0.8912 processors ÷ 0.35 are 3 tasks, and 138,889 a minute ÷ 30,000 are 5.
    expect(tasksAt(10_000_000)).toEqual([2n, 5n]);
  });

  test('by processor time alone are three where no scaling counts requests', () => {
    const template = smallTemplate({ ScalingByRequests: null });
    expect(estimateMonth(template, load(10_000_000), prices).tasks.atPeak).toBe(3n);
  });

  test('run for the busy hours of each day, and for Black Friday from its lead to its trail', () => {
    const template = smallTemplate();
    const usual = estimateMonth(template, load(10_000_000), prices).tasks;
    // Three more for 4 of 24 hours.
    expect(compare(usual.moreHours, exact(365))).toBe(0);
    const { tasks } = estimateMonth(template, load(10_000_000, { hasBlackFriday: true }), prices);
    // 08:00 to 23:00, 15 minutes before and 120 after: 17.25 hours of the 10 that are at least there instead of 5.
    expect(compare(tasks.eventHours, exact('86.25'))).toBe(0);
    expect(compare(tasks.moreHours, exact('451.25'))).toBe(0);
  });

  test('beyond the most that the stage allows are told, and so is a database that is too small', () => {
    const { warnings } = monthOf(100_000_000);
    expect(warnings).toEqual([
      expect.stringContaining('The peak needs 47 tasks and maxTasks allows 10'),
      expect.stringContaining('more than 70 % of the 2 processors of db.t4g.medium: raise databaseClass'),
      expect.stringContaining('more disk than databaseStorageMaxGb, 500'),
    ]);
    expect(monthOf(10_000_000).warnings).toEqual([]);
  });
});

describe('the database under a load', () => {
  test('has the disk of the months that are kept, and backups beyond what is free', () => {
    const month = estimateMonth(smallTemplate(), load(10_000_000, { monthsKept: 2 }), prices);
    // 221.2 million events of 633 bytes are 140.026 GB a month; (2 × 140.026 + 20) × 1.1 = 330.06, so 331 GB.
    expect(linesOf(month, 'Database')[1]).toEqual(['disk in two zones', 7613n]);
    // 280.05 + 140.026 × 2 × 168 ÷ 730 − 331 = 13.50 GB × 0.095.
    expect(linesOf(month, 'Backups')).toEqual([['of the database, beyond the free size', 128n]]);
  });

  test('of a burstable class buys credits only when its mean is above the baseline', () => {
    const credits = (requests: number) =>
      monthOf(requests).lines.find(({ item }) => item.startsWith('CPU credits'))?.cents ?? 0n;
    expect(credits(100_000_000)).toBe(0n);
    // 2,314.81 a second × 0.000315 − 2 × 0.2 = 0.32917 processors, in both zones: × 2 × 730 × 0.075.
    expect(credits(200_000_000)).toBe(3604n);
  });
});

describe('a way to pay less', () => {
  const Cache = {
    Type: 'AWS::ElastiCache::ReplicationGroup',
    Properties: { Engine: 'redis', CacheNodeType: 'cache.r6g.large', NumCacheClusters: 2, SnapshotRetentionLimit: 0 },
  };
  const costOf = (choices: Partial<typeof asPackaged>, service: 'Fargate' | 'Cache' | 'Database') =>
    centsOfService(
      estimateMonth(smallTemplate({ Cache }), load(10_000_000), prices, { ...asPackaged, ...choices }),
      service,
    );

  test('takes its share off what it is about, and off nothing else', () => {
    // 1,460 × 0.206 = 300.76, and 1,460 × 0.1648 = 240.608.
    expect([costOf({}, 'Cache'), costOf({ engine: 'valkey' }, 'Cache')]).toEqual([30_076n, 24_061n]);
    // 300.76 × 0.7.
    expect(costOf({ reserved: true }, 'Cache')).toBe(21_053n);
    // Instances alone: 94.90 × 0.7 = 66.43, and the disk stays.
    expect(costOf({ reserved: true }, 'Database')).toBe(costOf({}, 'Database') - 2847n);
    // ARM: (1,460 + 365) × (0.5 × 0.03238 + 0.00356).
    expect(costOf({ architecture: 'ARM64' }, 'Fargate')).toBe(2364n + 520n + 591n + 130n);
    // Only those that always run: 29.5504 and 6.4897 × 0.8.
    expect(costOf({ savingsPlan: true }, 'Fargate')).toBe(2364n + 519n + 739n + 162n);
    // Only those beyond them: 7.3876 and 1.622425 × 0.3.
    expect(costOf({ spot: true }, 'Fargate')).toBe(2955n + 649n + 222n + 49n);
  });
});

describe('what can’t be priced', () => {
  test('stops the estimate with its type and name', () => {
    const Table = { Type: 'AWS::DynamoDB::Table' };
    expect(() => monthOf(0, { Table })).toThrow('no price rule for AWS::DynamoDB::Table (Table): add one');
  });

  test.each([
    [{ DBInstanceClass: 'db.x9z.large' }, 'no rate "rds.postgresql.x9z.large.multi-az"'],
    [{ DBInstanceClass: { Ref: 'Class' } }, 'Database (AWS::RDS::DBInstance): DBInstanceClass is {"Ref":"Class"}'],
    [{ Iops: 12_000 }, 'there is no price rule for Iops'],
    [{ AllocatedStorage: 'much' }, 'AllocatedStorage is "much"'],
  ])('stops it with the property: %j', (properties, reason) => {
    const usual = smallTemplate().find('Database')!.properties;
    const Database = { Type: 'AWS::RDS::DBInstance', Properties: { ...usual, ...properties } as TemplateProperties };
    expect(() => monthOf(0, { Database })).toThrow(reason);
  });
});
