import type { BenchDatabase } from '../database/bench-database.ts';
import { cpuSecondsOf, residentBytesOf } from '../figures/cpu-seconds.ts';
import { measure } from '../measure.ts';
import { mixOf, mostMixedPerSecond, type SpeedStage, stretchSeconds } from './speed.ts';

/** A stretch of the unbroken run. */
export interface Stretch {
  perSecond: number;
  p99Millis: number | null;
  maxMillis: number | null;
  residentBytes: number;
  walBytes: number | null;
}

/** The day's mix at full rate without a break. */
export interface SteadyLoad {
  stretches: Stretch[];
  failed: number;
  /** The last third's rate to the first third's. */
  drift: number;
  /** Bytes of all tables and indexes an event, before and after: growth beyond the rows would show here. */
  bytesPerEvent: { before: number; after: number };
  serverCpuSeconds: number;
}

/** Runs the day's mix at full rate for so many seconds. */
export async function measureSteadyLoad(
  { stage, plan, supplies, one }: SpeedStage,
  database: BenchDatabase,
  seconds: number,
  tell: (line: string) => void,
): Promise<SteadyLoad> {
  const before = await bytesPerEvent(database);
  const cpuBefore = cpuSecondsOf([one.pid]);
  const stretches: Stretch[] = [];
  let failed = 0;
  for (let at = 0; at < seconds; at += stretchSeconds) {
    const figures = await measure(stage, {
      load: mixOf(supplies, stretchSeconds * mostMixedPerSecond),
      servers: [one],
      seconds: stretchSeconds,
      connections: plan.connections,
      behind: 'postgres',
    });
    failed += figures.failed;
    const { perSecond, p99Millis, maxMillis, walBytes } = figures;
    stretches.push({ perSecond, p99Millis, maxMillis, walBytes, residentBytes: residentBytesOf(one.pid) });
    tell(`steady ${at + stretchSeconds}/${seconds} s: ${Math.round(perSecond)}/s, p99 ${p99Millis} ms`);
  }
  const third = Math.ceil(stretches.length / 3);
  return {
    stretches,
    failed,
    drift: meanRate(stretches.slice(-third)) / meanRate(stretches.slice(0, third)),
    bytesPerEvent: { before, after: await bytesPerEvent(database) },
    serverCpuSeconds: cpuSecondsOf([one.pid]) - cpuBefore,
  };
}

function meanRate(stretches: Stretch[]): number {
  return stretches.reduce((sum, { perSecond }) => sum + perSecond, 0) / stretches.length;
}

async function bytesPerEvent({ client }: BenchDatabase): Promise<number> {
  const { rows } = await client.query<{ bytes: string; events: string }>(
    `select (select sum(pg_total_relation_size(oid)) from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace) as bytes,
      (select count(*) from events) as events`,
  );
  return Number(rows[0]!.bytes) / Number(rows[0]!.events);
}
