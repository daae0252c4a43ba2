import type { Caller } from '../caller.ts';
import { areChangesFree, type ChangeCore, changeCoupons } from '../coupons/engine/change-coupons.ts';
import type { ChangeCommand, DealCommand } from '../coupons/engine/commands.ts';
import { areDealsFree, type DealCore, dealCodes } from '../coupons/engine/deal-codes.ts';
import type { BatchCompanion } from '../coupons/engine/decide-batch.ts';
import type { CouponAnswer } from '../coupons/rules/recorded-change.ts';
import { locateCodes, placeIn } from '../decks/locate-codes.ts';
import { CouponError } from '../errors.ts';
import { isPending, type JobRow, type RowOutcome } from './job-rows.ts';
import { type JobStanding, lockStep, sendRows, settleRows } from './job-step.ts';

/** What a step of rows works with: what batches do. Its connections are those of `pool`. */
export type RowCore = ChangeCore & DealCore;

/**
 * How a step ended. `held-up`: nothing was done, since other sessions hold what every row needs.
 */
export type StepResult = 'more' | 'held-up' | 'end';

/** What of a row is carried out in a step. */
interface Task {
  /** Its place in the piece. */
  readonly at: number;
  readonly row: JobRow;
}

/**
 * Carries out some rows of the job's piece: the effects, the outcomes and the job's progress are one transaction, that
 * of a batch of the engine, which decides each row as it would decide a request. A void takes up to three steps, as
 * voidCoupon takes up to three tries.
 * @param rowsMax 1 and up
 * @throws StepLost; what a batch throws
 */
export async function carryOutRows(core: RowCore, job: JobStanding, rowsMax: number): Promise<StepResult> {
  const pending = job.rows.flatMap((row, at) => (isPending(row) ? [{ at, row }] : []));
  const first = pending[0];
  const tasks = pending.filter(({ row }) => row.tries === first!.row.tries).slice(0, rowsMax);
  const settled = first === undefined ? new Map<number, JobRow>() : await settleByThemselves(core, job, tasks);
  if (settled.size > 0 || first === undefined) {
    return (await settleRows(core.pool, job, withRows(job, settled))) ? 'end' : 'more';
  }
  return job.kind === 'assign' ? assign(core, job, tasks) : voidCodes(core, job, tasks);
}

/** Gives the one row that breaks every transaction the outcome `internal`, so that the others go on. */
export async function refusePoisonedRow(core: RowCore, job: JobStanding): Promise<StepResult> {
  const at = job.rows.findIndex(isPending);
  const refused = new Map([[at, withOutcome(job.rows[at]!, 'internal')]]);
  return (await settleRows(core.pool, job, withRows(job, refused))) ? 'end' : 'more';
}

/** The rows that need no batch: those of users who were erased, and codes of other books than the job's. */
async function settleByThemselves(core: RowCore, job: JobStanding, tasks: Task[]): Promise<Map<number, JobRow>> {
  if (job.kind === 'assign') {
    const erased = tasks.filter(({ row }) => row.userId == null);
    return new Map(erased.map(({ at, row }) => [at, withOutcome(row, 'user-erased')]));
  }
  if (job.bookKey === null) return new Map();
  const codes = tasks.map(({ row }) => row.code ?? '');
  const locations = await locateCodes(core, job.tenantId, codes, { always: false });
  const elsewhere = tasks.filter((_, index) => placeIn(locations[index])?.bookKey !== job.bookKey);
  return new Map(elsewhere.map(({ at, row }) => [at, withOutcome(row, 'coupon-not-found')]));
}

function withRows(job: JobStanding, changed: ReadonlyMap<number, JobRow>): JobRow[] {
  return job.rows.map((row, at) => changed.get(at) ?? row);
}

/** A row that is done keeps what its result shows. */
function withOutcome({ reason: _, tries: _tries, ...row }: JobRow, outcome: RowOutcome, code = row.code): JobRow {
  return { ...row, outcome, ...(code !== undefined && { code }) };
}

function assign(core: RowCore, job: JobStanding, tasks: Task[]): Promise<StepResult> {
  const caller = callerOf(job);
  const commandOf = ({ row }: Task): DealCommand => ({
    op: 'draw',
    caller,
    keyed: null,
    bookKey: job.bookKey,
    userId: row.userId!,
  });
  const outcomeOf = (row: JobRow, answer: CouponAnswer | CouponError) =>
    answer instanceof CouponError ? withOutcome(row, answer.kind) : withOutcome(row, 'assigned', answer.body.code);
  return inBatch(core, job, tasks, { commandOf, outcomeOf, run: dealCodes, lookAgain: areDealsFree });
}

/**
 * A code that a user has is voided as a coupon; a code that nobody has is taken out of its deck. A code may be assigned
 * between two tries, but it never goes back, so this changes once at most.
 */
function voidCodes(core: RowCore, job: JobStanding, tasks: Task[]): Promise<StepResult> {
  const tries = tasks[0]!.row.tries ?? 0;
  const common = (row: JobRow) => ({ caller: callerOf(job), keyed: null, code: row.code!, reason: row.reason ?? null });
  const outcomeOf = (row: JobRow, answer: CouponAnswer | CouponError): JobRow => {
    if (!(answer instanceof CouponError)) return withOutcome(row, 'voided', answer.body.code);
    if (tries === 0 && answer.kind === 'coupon-not-found') return { ...row, tries: 1 };
    if (tries === 1 && answer.kind === 'code-already-assigned') return { ...row, tries: 2 };
    return withOutcome(row, answer.kind);
  };
  if (tries === 1) {
    const commandOf = ({ row }: Task): DealCommand => ({ op: 'discard', ...common(row) });
    return inBatch(core, job, tasks, { commandOf, outcomeOf, run: dealCodes, lookAgain: areDealsFree });
  }
  const commandOf = ({ row }: Task): ChangeCommand => ({ op: 'void', ...common(row) });
  return inBatch(core, job, tasks, { commandOf, outcomeOf, run: changeCoupons, lookAgain: areChangesFree });
}

/** Whoever made the job is who acts. */
function callerOf({ tenantId, createdBy }: JobStanding): Caller {
  return { tenantId, role: 'operator', actor: createdBy, customerId: null };
}

interface RowBatch<Command> {
  commandOf(task: Task): Command;
  /** The row as the answer leaves it. */
  outcomeOf(row: JobRow, answer: CouponAnswer | CouponError): JobRow;
  run(
    core: RowCore,
    tenantId: number,
    commands: Command[],
    hasTimedOut: boolean,
    companion: BatchCompanion<Command>,
  ): Promise<unknown>;
  /** Finds out which of them are held up still. */
  lookAgain(core: RowCore, tenantId: number, commands: Command[]): Promise<unknown>;
}

async function inBatch<Command>(
  core: RowCore,
  job: JobStanding,
  tasks: Task[],
  { commandOf, outcomeOf, run, lookAgain }: RowBatch<Command>,
): Promise<StepResult> {
  const taskOf = new Map(tasks.map((task) => [commandOf(task), task]));
  const commands = [...taskOf.keys()];
  // Rows that others hold up are left out of the transaction, and wait; where all are, there is none.
  let result: StepResult = 'held-up';
  await run(core, job.tenantId, commands, false, {
    read: (tx) => lockStep(tx, job),
    write: (tx, answers) => {
      const changed = new Map<number, JobRow>();
      for (const [command, answer] of answers) {
        const { at, row } = taskOf.get(command)!;
        changed.set(at, outcomeOf(row, answer));
      }
      result = sendRows(tx, job, withRows(job, changed)) ? 'end' : 'more';
    },
  });
  if (result === 'held-up') await lookAgain(core, job.tenantId, commands);
  return result;
}
