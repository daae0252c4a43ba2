import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type Static, Type } from 'typebox';
import { findTenantId } from './access/find-tenant-id.ts';
import { askOnce } from './ask-once.ts';
import type { RunningTasks } from './background.ts';
import type { Caller } from './caller.ts';
import type { Clock } from './clock.ts';
import type { Core } from './core.ts';
import { neededSchemaVersion, schemaVersion } from './db/migrate.ts';
import type { Pools } from './db/open-pools.ts';
import type { Queryable } from './db/pool.ts';
import { nullable, oneOf, Time } from './input/shapes.ts';

const millis = (description: string) => Type.Integer({ minimum: 0, description });
const count = (description: string) => Type.Integer({ minimum: 0, description });

const Reach = {
  reachable: Type.Boolean({ description: 'Whether it answered within two seconds.' }),
  millis: nullable(millis('How long its answer took.')),
};

const Pool = Type.Object({
  name: Type.String({ examples: ['hot path'] }),
  max: count('Connections that there may be.'),
  open: count('Connections that there are.'),
  idle: count('Those that nobody uses.'),
  waiting: count('Who waits for one.'),
});

const Task = Type.Object({
  name: Type.String({ examples: ['maintenance'] }),
  failuresInARow: count('Since it last succeeded.'),
  lastFailedAt: nullable(Time),
});

/** How a process fares, for the people who run it. */
export const HealthView = Type.Object({
  database: Type.Object({
    ...Reach,
    schemaVersion: nullable(count('The newest migration that was run.')),
    neededSchemaVersion: count('The one that this version needs.'),
  }),
  replica: Type.Union([
    Type.Null({ description: 'None is configured: the primary serves lists.' }),
    Type.Object({ ...Reach, behindMillis: nullable(millis('What it has not replayed yet is as old.')) }),
  ]),
  redis: nullable(oneOf(['ready', 'away', 'closed'], { description: 'null: none is configured.' })),
  queueAgeMillis: millis('How long the oldest request of the tenant has waited.'),
  marksAgeMillis: millis('Since deck marks were last repeated for the day of a restore; more than 10,000 is late.'),
  process: Type.Union([
    Type.Null({ description: 'What all tenants together cause is told to members of the tenant default alone.' }),
    Type.Object({
      queueAgeMillis: millis('How long the oldest request of any tenant has waited.'),
      droppedLogLines: count('Lines that the log could not take.'),
      pools: Type.Array(Pool),
      tasks: Type.Array(Task),
    }),
  ]),
});
export type HealthView = Static<typeof HealthView>;

/** The parts of a process whose health is told. */
export type HealthCore = Pools & Pick<Core, 'batches' | 'clock' | 'config' | 'knownTenants' | 'markRounds' | 'redis'>;

/** What is asked beside the core. */
export interface HealthSources {
  droppedLogLines(): number;
  /** Null where no tasks run. */
  background: Pick<RunningTasks, 'states'> | null;
}

const answerMaxMillis = 2_000;

interface Answer<T> {
  reachable: boolean;
  millis: number | null;
  value: T | null;
}

/**
 * Opens the reading of a process's health. However many ask, each database is asked one question at a time, and the
 * answers never come later than two seconds. It holds no addresses, names or texts of errors: those are in the log.
 */
export function openHealth(core: HealthCore, sources: HealthSources): (caller: Caller) => Promise<HealthView> {
  const askDatabase = askOnce(() => ask(core.clock, () => schemaVersion(core.readyPool)));
  const askReplica = askOnce(() => ask(core.clock, () => replicaDelay(core.readPool)));
  return async ({ tenantId }) => {
    const [database, replica, home] = await Promise.all([
      askDatabase(),
      core.config.replica === null ? null : askReplica(),
      // Remembered: no question to the database once it has been answered.
      ask(core.clock, () => findTenantId(core, 'default')),
    ]);
    return {
      database: { ...reachOf(database), schemaVersion: database.value, neededSchemaVersion },
      replica: replica === null ? null : { ...reachOf(replica), behindMillis: replica.value },
      redis: core.redis?.status ?? null,
      queueAgeMillis: whole(
        Math.max(core.batches.queueAgeOf('deals', tenantId), core.batches.queueAgeOf('changes', tenantId)),
      ),
      marksAgeMillis: whole(core.markRounds.ageMillis()),
      process: tenantId === home.value ? readProcess(core, sources) : null,
    };
  };
}

function readProcess(core: HealthCore, { droppedLogLines, background }: HealthSources): HealthView['process'] {
  return {
    queueAgeMillis: whole(core.batches.queueAgeMillis()),
    droppedLogLines: droppedLogLines(),
    pools: [
      poolState('hot path', core.pool),
      poolState('other writes', core.coldPool),
      poolState('lists', core.readPool),
      poolState('background', core.backgroundPool),
    ],
    tasks: (background?.states() ?? []).map(({ lastFailedAt, ...state }) => ({
      ...state,
      lastFailedAt: lastFailedAt === null ? null : new Date(lastFailedAt).toISOString(),
    })),
  };
}

function poolState(name: string, pool: pg.Pool) {
  return {
    name,
    max: pool.options.max,
    open: pool.totalCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
  };
}

async function ask<T>(clock: Clock, question: () => Promise<T>): Promise<Answer<T>> {
  const asked = clock.monotonic();
  const nobody: Answer<T> = { reachable: false, millis: null, value: null };
  const answer = question().then(
    (value): Answer<T> => ({ reachable: true, millis: whole(clock.monotonic() - asked), value }),
    () => nobody,
  );
  return Promise.race([answer, sleep(answerMaxMillis, nobody, { ref: false })]);
}

/** Milliseconds, 0 where everything that was received is replayed; a primary is behind nobody. */
async function replicaDelay(db: Queryable): Promise<number> {
  const answer = await db.query<{ behindMillis: number | null }>({
    name: 'replica-delay',
    text: `select case when pg_is_in_recovery() and pg_last_wal_receive_lsn() is distinct from pg_last_wal_replay_lsn()
      then extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 * 1000 end as "behindMillis"`,
    values: [],
  });
  return whole(answer.rows[0]!.behindMillis ?? 0);
}

function reachOf({ reachable, millis: took }: Answer<unknown>) {
  return { reachable, millis: took };
}

function whole(number: number): number {
  return Math.max(0, Math.round(number));
}
