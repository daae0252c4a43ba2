import { exact } from './exact.ts';

// What a request costs, and what else the bill hangs on that no template says. Each is either measured, and then its
// source is named, or an assumption that leans to the dear side. docs/costs.md has them in a table.

/**
 * Processor seconds of the API a request, of the day's mix at the day's peak in two tasks of half a processor:
 * docs/performance.md, "the day's mix, two tasks of half a processor, the day's peak", 0.385 a thousand. At full rate
 * batches are larger, and it is 0.142.
 */
export const cpuSecondsOfRequest = exact('0.000385');

/** Processor seconds of PostgreSQL a request, from the same row: 0.315 a thousand. */
export const databaseCpuSecondsOfRequest = exact('0.000315');

/** The busiest second beside the mean one: test/bench/figures/day.ts. */
export const peakFactor = exact(20);

/**
 * Hours a day in which as many tasks run as the busiest second needs. Assumed: the scaling lets them go within minutes.
 */
export const peakHoursOfDay = exact(4);

/** Share of a task's processor that the peak may use: the CPU target of the scaling (resources/service.yml). */
export const cpuTarget = exact('0.7');

/** Events a request of the day's mix: 16 of its 22 requests change a coupon (test/bench/load/wrk-script.ts). */
export const eventsOfRequest = { over: 16n, under: 22n };

/**
 * Bytes of disk an event, with its coupon, keys and indexes: docs/performance.md, "633 bytes an event before, 596
 * after".
 */
export const bytesOfEvent = exact(633);

/**
 * Gigabytes of disk beside the events: the log up to max_wal_size (resources/stages.yml), and the catalogue. Prod's.
 */
export const diskBesideEventsGb = exact(20);

/**
 * How many bytes of backup a byte of new data makes: pages are kept whole, and a day changes some that were there.
 * Assumed.
 */
export const backupBytesOfByte = exact(2);

/** Bytes of an answer with its headers; fewer for every route but lists. */
export const bytesOfAnswer = exact(1_200);
/** Bytes of a request with its headers; fewer for every route but uploads. */
export const bytesOfRequest = exact(1_000);

/** Bytes that a TLS handshake sends to the client, most of them certificates. Assumed. */
export const bytesOfHandshake = exact(5_000);

/** Bytes to and from PostgreSQL a request: statements, parameters, rows. Assumed; half of them go to another zone. */
export const databaseBytesOfRequest = exact(3_000);

/** A line of the log a request: at most 330 bytes (test/package/dead-log.test.ts), and 26 that CloudWatch adds. */
export const logBytesOfRequest = exact(356);

/** A record of a flow and what CloudWatch adds; one each way a connection, and one more pair to the tasks. Assumed. */
export const bytesOfFlowRecord = exact(146);
/** Records of flows that one connection makes. Assumed. */
export const flowRecordsOfConnection = exact(4);

/**
 * Gigabytes a month of flows that are there without any request: health checks, the database's pools, scanners.
 * Assumed.
 */
export const flowsWithoutLoadGb = { all: exact(1), rejected: exact('0.2') };

/** Share of requests that the firewall refuses or counts, and so logs. Assumed. */
export const firewallLoggedShare = exact('0.01');
/** Bytes of such a line. Assumed. */
export const bytesOfFirewallLine = exact(1_500);

/** Gigabytes a month of PostgreSQL's own log. Assumed. */
export const databaseLogGb = exact('0.5');
/** Gigabytes a month of each function's log. Assumed. */
export const functionLogGb = exact('0.05');

/** Seconds that a call of a function takes. Assumed. */
export const secondsOfCall = exact(2);
/** Calls of a function a month that no schedule makes. Assumed. */
export const callsWithoutSchedule = exact(30);

/** Gigabytes of the cache that a snapshot of it holds: counters with an end of life. Assumed. */
export const cacheSnapshotGb = exact('0.1');

/** Gigabytes in the buckets: what operators export, as the strategy has it, and the artifacts of ten deployments. */
export const bucketGb = { exports: exact(50), artifacts: exact('0.1') };

/** Gigabytes in the registry, as the strategy has it. Layers that images share are there once. */
export const registryGb = exact(5);

/** Gigabytes a month through a NAT, where there is one: keys of issuers, and what has no endpoint. Assumed. */
export const natGb = exact(5);

/**
 * Encryptions and decryptions a month: log groups, secrets, buckets, disks, each of which keeps its data key for long.
 * Assumed.
 */
export const keyCalls = exact(100_000);

/** Reads of each secret a month, by tasks that start and by functions. Assumed. */
export const readsOfSecret = exact(1_000);

/**
 * Metrics with a dimension each that the functions write (`addMetric` in handlers/). A metric is charged by the hours
 * in which it has a figure, and those of restore drills have one in three hours of a day at most: one in all.
 */
export const metricsOfFunctions = exact(5);

/** Hours for which a restore drill keeps its instance. Assumed: one for the restore, and two to ask and to delete. */
export const drillHours = exact(3);
/** Steps of its state machine: three a minute while it waits, and what is tried again. Assumed. */
export const stepsOfDrill = exact(400);

/**
 * Metrics that Container Insights makes of a cluster with one service, and more where it is enhanced. Assumed from
 * AWS's own examples.
 */
export const insightsMetrics = { enabled: exact(25), enhanced: exact(70) };

/** Bytes a minute that Container Insights logs of a cluster, a service, and each task. Assumed. */
export const insightsBytesOfMinute = exact(1_500);

/** Alarms that Application Auto Scaling makes of one policy that tracks a target. */
export const alarmsOfScalingPolicy = exact(2);

/** The size in bytes by which AWS's gigabyte is counted here: the smaller one, so that there are more. */
export const bytesOfGigabyte = exact(1_000_000_000);

/** AWS's own month. */
export const hoursOfMonth = exact(730);
