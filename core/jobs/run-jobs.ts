import { setTimeout as sleep } from 'node:timers/promises';
import type { BackgroundTask } from '../background/run-tasks.ts';
import type { Core } from '../core.ts';
import { isConnectionLoss, isPoison, isTimeout, loggable } from '../db/sql-errors.ts';
import { CouponError } from '../errors.ts';
import { carryOutExport, type ExportCore, withPool } from './carry-out-export.ts';
import { carryOutRows, type RowCore, refusePoisonedRow, type StepResult } from './carry-out-rows.ts';
import { claimJob, type JobLease, keepJob, letJobGo, noteFailure } from './claim-job.ts';
import { hasFile } from './job-document.ts';
import { pieceRows } from './job-rows.ts';
import { type JobStanding, readStanding, StepLost } from './job-step.ts';

/** What working on jobs works with. */
export type JobsCore = Omit<RowCore, 'pool'> &
  Omit<ExportCore, 'pool' | 'readPool'> &
  Pick<Core, 'backgroundPool' | 'batches' | 'clock' | 'log'>;

/** How long a step should take. What waits for its locks, or for the process, waits no longer than that. */
const stepMillis = 50;
/**
 * A job may use a quarter of one connection's time, and less of the process's: other processes may be busy, which this
 * one can't see.
 */
const restPerWork = 3;
/** The rest grows by the length of the step for each such time that the hot path's oldest member has waited. */
const waitPerRest = 10;
const restMaxMillis = 2_000;
const heldUpMillis = 500;
/** After the first failure of the database; twice as long after each further one. */
const retryMillis = 250;
/** Between two looks for a job, where the bell does not ring. */
const idleMillis = 10_000;
const firstRows = 32;

/** How the tasks that work on jobs are called; each works on one job at a time. */
export const jobTaskNames = ['jobs 1', 'jobs 2'] as const;

/**
 * A task that works on jobs, one at a time, step by step. A job is this task's by a lease, and a step is committed only
 * while it is: so a job goes on wherever its process, or the database, dies, and each of its rows is carried out once
 * (test/integration/job-kills.test.ts).
 *
 * It is fair to the hot path: it has other connections, its steps are short, and it rests three times as long as it
 * works, longer while requests wait in this process.
 */
export function jobTask(core: JobsCore, name: (typeof jobTaskNames)[number]): BackgroundTask {
  const worker = new JobWorker(core);
  return { name, restMillis: idleMillis, run: (signal) => worker.run(signal) };
}

/** Works on one job at a time. */
class JobWorker {
  readonly #core: JobsCore;
  readonly #stepCore: RowCore & ExportCore;
  #lease: JobLease | null = null;
  #rows = firstRows;
  /** Passing ones in a row. */
  #failures = 0;

  constructor(core: JobsCore) {
    this.#core = core;
    this.#stepCore = withPool(core, core.backgroundPool);
  }

  /** One step, and the rest behind it. */
  async run(signal: AbortSignal): Promise<'more' | 'rest'> {
    try {
      this.#lease ??= await claimJob(this.#core.backgroundPool);
      const result = this.#lease === null ? 'rest' : await this.#work(this.#lease, signal);
      this.#failures = 0;
      return result;
    } catch (error) {
      if (!isPassing(error)) throw error;
      // The lease outlives most troubles of the database: the job goes on as soon as it is back.
      this.#failures += 1;
      this.#core.log.warn({ error: loggable(error) }, 'a step of a job is tried again');
      await pause(Math.min(idleMillis, retryMillis * 2 ** this.#failures), signal);
      return 'more';
    }
  }

  async #work(lease: JobLease, signal: AbortSignal): Promise<'more' | 'rest'> {
    const { clock } = this.#core;
    const startedAt = clock.monotonic();
    const result = await this.#step(lease);
    if (result === 'lost' || result === 'end') {
      this.#lease = null;
      return 'more';
    }
    await this.#rest(lease, result, clock.monotonic() - startedAt, signal);
    if (!signal.aborted) return 'more';
    this.#lease = null;
    await letJobGo(this.#core.backgroundPool, lease);
    return 'rest';
  }

  async #step(lease: JobLease): Promise<StepResult | 'lost'> {
    const job = await readStanding(this.#core.backgroundPool, lease);
    if (job === null) return 'lost';
    try {
      const result = await this.#carryOut(job);
      if (result === 'end') this.#core.log.info({ job: job.id, kind: job.kind }, 'a job has ended');
      return result;
    } catch (error) {
      if (error instanceof StepLost) return 'lost';
      if (!hasFile(job.kind) || !isPoison(error)) return this.#fail(lease, job, error);
      return this.#halve(job);
    }
  }

  async #carryOut(job: JobStanding): Promise<StepResult> {
    if (!hasFile(job.kind)) return carryOutExport(this.#stepCore, job);
    const { clock } = this.#core;
    const startedAt = clock.monotonic();
    const result = await carryOutRows(this.#stepCore, job, this.#rows);
    this.#adapt(clock.monotonic() - startedAt);
    return result;
  }

  /** As many rows as take stepMillis, at most twice as many as before. */
  #adapt(millis: number): void {
    const fitting = Math.round((this.#rows * stepMillis) / Math.max(1, millis));
    this.#rows = Math.max(1, Math.min(fitting, 2 * this.#rows, pieceRows));
  }

  /** One row's data broke the transaction: halving finds it. */
  async #halve(job: JobStanding): Promise<StepResult | 'lost'> {
    if (this.#rows > 1) {
      this.#rows >>= 1;
      return 'more';
    }
    this.#core.log.error({ job: job.id }, 'a row of a job could not be carried out');
    return refusePoisonedRow(this.#stepCore, job);
  }

  /** What a database that is away or overloaded refuses is tried again for ever; anything else some times. */
  async #fail(lease: JobLease, job: JobStanding, error: unknown): Promise<'lost'> {
    if (!isPassing(error) && (await noteFailure(this.#core.backgroundPool, lease))) {
      this.#core.log.error({ job: job.id, kind: job.kind }, 'a job has failed');
      this.#lease = null;
    }
    throw error;
  }

  async #rest(lease: JobLease, result: StepResult, millis: number, signal: AbortSignal): Promise<void> {
    if (result === 'held-up') {
      await keepJob(this.#core.backgroundPool, lease);
      await pause(heldUpMillis, signal);
    } else {
      const share = restPerWork + this.#core.batches.queueAgeMillis() / waitPerRest;
      await pause(Math.min(restMaxMillis, millis * share), signal);
    }
  }
}

function isPassing(error: unknown): boolean {
  return isConnectionLoss(error) || isTimeout(error) || error instanceof CouponError;
}

/** Waits, unless the process is to end. */
async function pause(millis: number, signal: AbortSignal): Promise<void> {
  await sleep(millis, undefined, { signal, ref: false }).catch(() => {});
}
