import { testSecrets } from '../support/open-test-core.ts';
import { cpuSecondsOf, cpuSecondsWithChildren } from './figures/cpu-seconds.ts';
import type { Figures } from './figures/figures.ts';
import { runWrk } from './load/run-wrk.ts';
import type { Load } from './load/wrk-script.ts';
import type { BenchServer } from './servers/start-server.ts';
import type { Stage } from './stage.ts';

/** One measurement of a load. */
export interface Measurement {
  load: Load;
  servers: BenchServer[];
  seconds: number;
  connections: number;
  pace?: number;
  /** What does the work behind the servers; null: nothing. */
  behind: 'postgres' | number | null;
}

/** Sends a load and takes down what it cost. */
export async function measure(stage: Stage, measurement: Measurement): Promise<Figures> {
  const { load, servers, seconds, connections, pace = null, behind } = measurement;
  const before = await readCounters(stage, servers, behind);
  const result = await runWrk(load, {
    addresses: servers.map((server) => server.address),
    token: stage.token,
    connections,
    seconds,
    pace,
    directory: stage.directory,
    processors: stage.processors.generator,
  });
  const after = await readCounters(stage, servers, behind);
  const { succeeded } = result;
  const batches = after.batches - before.batches;
  return {
    perSecond: succeeded / result.seconds,
    p50Millis: result.p50Millis,
    p99Millis: result.p99Millis,
    maxMillis: result.maxMillis,
    serverCpu: ((after.serverCpu - before.serverCpu) / succeeded) * 1000,
    databaseCpu: behind === null ? null : ((after.databaseCpu - before.databaseCpu) / succeeded) * 1000,
    generatorShare: result.generatorCpuSeconds / result.seconds,
    walBytes: behind === 'postgres' ? (after.walBytes - before.walBytes) / succeeded : null,
    batch: batches === 0 ? null : (after.members - before.members) / batches,
    failed: result.failed,
    operations: succeeded,
  };
}

interface Counters {
  serverCpu: number;
  databaseCpu: number;
  walBytes: number;
  batches: number;
  members: number;
}

async function readCounters(stage: Stage, servers: BenchServer[], behind: Measurement['behind']): Promise<Counters> {
  const batches = behind === 'postgres' ? await readBatches(servers) : { batches: 0, members: 0 };
  return { ...batches, ...(await readCosts(stage, servers, behind)) };
}

/** What servers and database have cost so far. */
export async function readCosts(
  stage: Stage,
  servers: BenchServer[],
  behind: Measurement['behind'],
): Promise<Omit<Counters, 'batches' | 'members'>> {
  const { rows } = await stage.observer.query<{ bytes: string }>(
    `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes`,
  );
  return {
    serverCpu: cpuSecondsOf(servers.map((server) => server.pid)),
    databaseCpu: typeof behind === 'number' ? cpuSecondsOf([behind]) : cpuSecondsWithChildren(stage.postgres.pid),
    walBytes: Number(rows[0]!.bytes),
  };
}

/** Transactions of the hot path so far and their members, out of the metrics of all servers. */
async function readBatches(servers: BenchServer[]): Promise<{ batches: number; members: number }> {
  let batches = 0;
  let members = 0;
  for (const server of servers) {
    const answer = await fetch(`${server.address}/metrics`, {
      headers: { authorization: `Bearer ${testSecrets.QURABLE_ADMIN_KEY}` },
    });
    for (const [, kind, value] of (await answer.text()).matchAll(/^qurable_batch_members_(count|sum)\{.*\} (\S+)$/gm)) {
      if (kind === 'count') batches += Number(value);
      else members += Number(value);
    }
  }
  return { batches, members };
}
