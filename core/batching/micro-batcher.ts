import type { Clock } from '../clock.ts';
import { isConnectionLoss, isLockTimeout, isPoison, isTimeout, loggable } from '../db/sql-errors.ts';
import { CouponError, refuse, unavailable } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BatchTrace, RequestTrace, Tracing } from '../trace.ts';
import { openFlights } from './flights.ts';
import { openLanes, type TenantAges } from './lanes.ts';
import { openSetAside } from './set-aside.ts';

/** Stands in place of an answer: the member needs a row that another session holds. Nothing was begun for it. */
export const heldUp: unique symbol = Symbol('held up');

/** What a batch gives a member: its answer, its refusal, or `heldUp`. */
export type MemberAnswer<Answer> = Answer | CouponError | typeof heldUp;

/**
 * Runs one batch of one tenant in one transaction and answers every member, in order.
 * @param isApart whether a transaction with these members has timed out on a lock before: it then waits only a short
 *   time
 */
export type BatchRun<Command, Answer> = (
  tenantId: number,
  commands: Command[],
  isApart: boolean,
  trace: BatchTrace | null,
) => Promise<MemberAnswer<Answer>[]>;

/** What a batcher needs to know. */
export interface BatcherOptions<Command, Answer> {
  /** Names the queue in metrics and logs. */
  name: string;
  /** Which lane of its tenant a command waits in. */
  laneOf(command: Command): number | string;
  run: BatchRun<Command, Answer>;
  /** Says which of these held-up members could run now. Waits for no lock. */
  isFree(tenantId: number, commands: Command[]): Promise<boolean[]>;
  clock: Clock;
  log: Log;
  /** Most members of a transaction, 1 and up. */
  maxMembers: number;
  /** Most transactions at once, 1 and up: of one tenant, and of all tenants, not counting slow ones. */
  maxInFlight: number;
  /** A transaction that runs for longer is slow, in milliseconds. Mostly it waits for a lock. */
  slowMillis: number;
  /** How many slow transactions at most are not counted, 0 and up. */
  maxSlow: number;
  /**
   * As many waiting members start a transaction at once, 1 and up. Fewer are gathered first: small batches cost more.
   */
  worthwhileMembers: number;
  /**
   * How long fewer than `worthwhileMembers` are gathered, in milliseconds since the last transaction began, 0 and up.
   * Gathering ends early once that transaction is done and as many members wait as it had: a few clients that send one
   * request after another are not slowed down.
   */
  gatherMillis: number;
  /** Most members waiting, in all lanes together; one tenant's may be three quarters of them. */
  maxWaiting: number;
  /** Milliseconds after which a member that is still waiting is told to come back. */
  maxWaitMillis: number;
  /** Once a tenant's last batch has waited for longer, in milliseconds, new members of that tenant are turned away. */
  shedAgeMillis: number;
  /** Milliseconds between two checks of the members that are held up. */
  heldUpEveryMillis: number;
  /** A member that is held up is refused this long after it arrived, in milliseconds. */
  heldUpMaxMillis: number;
  /** Most members of a tenant, and of all, that wait while they are held up. */
  heldUpMaxOfTenant: number;
  heldUpMaxOfAll: number;
  /** Told of every transaction: its members, and milliseconds from its start to its end. */
  onBatch?: (name: string, members: number, millis: number) => void;
  /** Traces batches that have a traced member; null, or left out: nothing is traced. */
  tracing?: Tracing | null;
  traceOf?: (command: Command) => RequestTrace | undefined;
}

/** A queue that turns single commands into batches. */
export interface MicroBatcher<Command, Answer> {
  /**
   * Queues a command behind those of its lane. Resolves with its answer once its transaction is committed.
   * @throws CouponError the refusal that was decided for it. `unavailable` when the queue is full, too old for its
   *   tenant or closed, when the command waited too long or needs a row that another session holds, and when the
   *   database is lost. `internal` when its own data broke the transaction
   */
  push(tenantId: number, command: Command): Promise<Answer>;
  /** Milliseconds that the oldest waiting member has waited, about; 0 when nobody waits. Of one tenant, or of any. */
  queueAgeMillis(tenantId?: number): number;
  /** The same apart: of tenants with more waiting than one transaction takes, and of the others. */
  tenantAges(): TenantAges;
  /** Members waiting now. */
  waiting(): number;
  /** Turns new members away, answers all that are in, and resolves when nothing is in flight. */
  close(): Promise<void>;
}

interface Member<Command, Answer> {
  command: Command;
  lane: number | string;
  since: number;
  queuedAt: number;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * Opens a batcher. A batch is what arrived while the transactions before it ran; where those were short, what arrived
 * within `gatherMillis`. A request to an idle system does not wait. A batch has members of one tenant. Tenants take
 * turns, and so do the lanes of a tenant, so that one popular book starves nobody.
 *
 * A lock that another session holds delays only the members that need it: they are set aside. The transaction that met
 * the lock becomes slow, is no longer counted, and so lets others begin, of other tenants first.
 */
export function openMicroBatcher<Command, Answer>(
  options: BatcherOptions<Command, Answer>,
): MicroBatcher<Command, Answer> {
  type Waiting = Member<Command, Answer>;
  const { name, clock, maxMembers, maxWaiting, maxWaitMillis, shedAgeMillis, onBatch } = options;
  const { worthwhileMembers, gatherMillis, tracing } = options;
  const lanes = openLanes<Waiting>(clock);
  const flights = openFlights(clock, options);
  const aside = openSetAside<Waiting>({
    clock,
    everyMillis: options.heldUpEveryMillis,
    maxWaitMillis: options.heldUpMaxMillis,
    maxOfTenant: options.heldUpMaxOfTenant,
    maxOfAll: options.heldUpMaxOfAll,
    look: (tenantId, members) => options.isFree(tenantId, commandsOf(members)),
    onFree: (tenantId, member) => enqueue(tenantId, member),
    onRefused: (member) => {
      member.reject(notBegun('What this request needs is held by another one for longer than usual.'));
      tellWhenIdle();
    },
  });
  let scheduled = false;
  /** The timer that is set while too few wait or no transaction may begin, and the moment at which it fires. */
  let patience: { timer: NodeJS.Timeout; until: number } | null = null;
  let last = { beganAt: Number.NEGATIVE_INFINITY, members: 0 };
  let closing = false;
  let onIdle: (() => void) | null = null;

  function push(tenantId: number, command: Command): Promise<Answer> {
    if (closing) return Promise.reject(notBegun('The service is shutting down.'));
    if (isFull(tenantId)) return Promise.reject(notBegun('The service has more work than it can do at once.'));
    return new Promise((resolve, reject) => {
      const now = clock.monotonic();
      enqueue(tenantId, { command, lane: options.laneOf(command), since: now, queuedAt: now, resolve, reject });
    });
  }

  function isFull(tenantId: number): boolean {
    if (lanes.size >= maxWaiting || lanes.sizeOf(tenantId) >= Math.ceil(maxWaiting * 0.75)) return true;
    return lanes.ageOf(tenantId) > shedAgeMillis;
  }

  function enqueue(tenantId: number, member: Waiting): void {
    member.queuedAt = clock.monotonic();
    lanes.add(tenantId, member.lane, member);
    schedule();
  }

  /** Dispatches at the end of this turn of the event loop, when all requests that arrived in it have been pushed. */
  function schedule(): void {
    if (scheduled || lanes.size === 0) return;
    if (lanes.next(flights.mayBegin) === null) {
      const pause = flights.millisUntilRoom();
      if (pause !== null) waitUntil(clock.monotonic() + pause, schedule);
      return;
    }
    if (lanes.size < worthwhileMembers) {
      const until = fewBeginAt();
      if (until > clock.monotonic()) {
        waitUntil(until, dispatch);
        return;
      }
    }
    endPatience();
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      dispatch();
    });
  }

  function waitUntil(until: number, then: () => void): void {
    if (patience?.until === until) return;
    endPatience();
    const wake = () => {
      patience = null;
      then();
    };
    patience = { timer: setTimeout(wake, Math.ceil(until - clock.monotonic())), until };
  }

  /** When a transaction may begin for fewer than worthwhileMembers. */
  function fewBeginAt(): number {
    const areAllBack = flights.count === 0 && lanes.size >= last.members;
    return areAllBack ? Number.NEGATIVE_INFINITY : last.beganAt + gatherMillis;
  }

  function endPatience(): void {
    if (patience !== null) clearTimeout(patience.timer);
    patience = null;
  }

  function dispatch(): void {
    endPatience();
    const tenantId = lanes.next(flights.mayBegin);
    if (tenantId === null) {
      schedule();
      return;
    }
    const batch = dropOverdue(lanes.take(tenantId, maxMembers));
    if (batch.length > 0) {
      const land = flights.begin(tenantId);
      const startedAt = clock.monotonic();
      last = { beganAt: startedAt, members: batch.length };
      const trace = tracing == null ? null : beginTrace(tracing, batch, startedAt);
      settle(tenantId, batch, false, trace).finally(() => {
        land();
        onBatch?.(name, batch.length, clock.monotonic() - startedAt);
        trace?.end(clock.monotonic(), { 'qurable.members': batch.length, 'qurable.tenant': tenantId });
        schedule();
        tellWhenIdle();
      });
    }
    schedule();
    // Every member may have been overdue: then this was the last that close() waited for.
    tellWhenIdle();
  }

  function isIdle(): boolean {
    return flights.count === 0 && lanes.size === 0 && aside.size === 0;
  }

  function tellWhenIdle(): void {
    if (isIdle()) onIdle?.();
  }

  function dropOverdue(batch: Waiting[]): Waiting[] {
    const now = clock.monotonic();
    return batch.filter((member) => {
      if (now - member.queuedAt <= maxWaitMillis) return true;
      member.reject(notBegun('The request waited too long for its turn.'));
      return false;
    });
  }

  /** Null where none of them is traced. */
  function beginTrace(by: Tracing, batch: Waiting[], startedAt: number): BatchTrace | null {
    const members: RequestTrace[] = [];
    for (const { command, queuedAt } of batch) {
      const trace = options.traceOf?.(command);
      if (trace === undefined) continue;
      trace.part('wait', queuedAt, startedAt, { 'qurable.queue': name });
      members.push(trace);
    }
    return members.length === 0 ? null : by.beginBatch(name, startedAt, members);
  }

  type Settled = [tenantId: number, batch: Waiting[], isApart: boolean, trace: BatchTrace | null];

  async function settle(...[tenantId, batch, isApart, trace]: Settled): Promise<void> {
    try {
      const answers = await options.run(tenantId, commandsOf(batch), isApart, trace);
      batch.forEach((member, index) => {
        const answer = answers[index]!;
        if (answer === heldUp) aside.add(tenantId, member);
        else if (answer instanceof CouponError) member.reject(answer);
        else member.resolve(answer);
      });
    } catch (error) {
      await settleFailed(error, tenantId, batch, isApart, trace);
    }
  }

  /**
   * Runs both halves of a batch that failed. One member's data may have broken the whole transaction, or one member
   * waits for a lock that the check could not name. Halving finds it, and the others are answered as if it had not been
   * there.
   */
  async function settleFailed(error: unknown, ...[tenantId, batch, isApart, trace]: Settled): Promise<void> {
    const isHeld = isLockTimeout(error) && !isLate(batch);
    if (batch.length > 1 && (isPoison(error) || isHeld)) {
      const half = batch.length >> 1;
      await settle(tenantId, batch.slice(0, half), isApart || isHeld, trace);
      await settle(tenantId, batch.slice(half), isApart || isHeld, trace);
      return;
    }
    if (isHeld && !isApart) return settle(tenantId, batch, true, trace);
    const answer = answerToFailure(error);
    options.log.error({ queue: name, members: batch.length, error: loggable(error) }, 'a batch failed');
    for (const member of batch) member.reject(answer);
  }

  /** Halving for a held member must end before the others have waited too long. */
  function isLate(batch: Waiting[]): boolean {
    const now = clock.monotonic();
    return batch.some(({ since }) => now - since > options.heldUpMaxMillis);
  }

  function close(): Promise<void> {
    closing = true;
    aside.close();
    if (isIdle()) return Promise.resolve();
    return new Promise((resolve) => {
      onIdle = resolve;
    });
  }

  return {
    push,
    queueAgeMillis: (tenantId) => (tenantId === undefined ? lanes.age() : lanes.ageOf(tenantId)),
    tenantAges: () => lanes.agesAround(maxMembers),
    waiting: () => lanes.size,
    close,
  };
}

function commandsOf<Command>(members: { command: Command }[]): Command[] {
  return members.map(({ command }) => command);
}

/**
 * What failed before COMMIT was sent has been rolled back. A transaction whose COMMIT was lost throws its own error.
 */
function answerToFailure(error: unknown): CouponError {
  if (error instanceof CouponError) return error;
  if (isLockTimeout(error)) return notBegun('What this request needs is held by another one for longer than usual.');
  if (isConnectionLoss(error) || isTimeout(error)) return notBegun('The database can’t be reached or is too slow.');
  return refuse('internal', 'This request could not be carried out, and nothing was changed.');
}

function notBegun(reason: string): CouponError {
  return unavailable('not-begun', `${reason} Repeat the request with the same Idempotency-Key.`);
}
