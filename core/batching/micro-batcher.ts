import type { Clock } from '../clock.ts';
import { isConnectionLoss, isLockTimeout, isPoison, isTimeout, loggable } from '../db/sql-errors.ts';
import { CouponError, refuse, unavailable } from '../errors.ts';
import type { Log } from '../log.ts';
import { openFlights } from './flights.ts';
import { openLanes } from './lanes.ts';
import { openSetAside } from './set-aside.ts';

/** In the place of an answer: the member needs what somebody else holds, and nothing was begun for it. */
export const heldUp: unique symbol = Symbol('held up');

/** What became of a member: a refusal is an answer too. */
export type MemberAnswer<Answer> = Answer | CouponError | typeof heldUp;

/**
 * Runs one batch of one tenant in one transaction and answers every member, in order.
 * @param isApart whether a transaction with these members has timed out before: then a lock is waited for shortly only
 */
export type BatchRun<Command, Answer> = (
  tenantId: number,
  commands: Command[],
  isApart: boolean,
) => Promise<MemberAnswer<Answer>[]>;

/** What a batcher needs to know. */
export interface BatcherOptions<Command, Answer> {
  /** Names the queue in metrics and logs. */
  name: string;
  /** Which lane of its tenant a command waits in. */
  laneOf(command: Command): number | string;
  run: BatchRun<Command, Answer>;
  /** Which of these, which were held up, could run now. It waits for no lock. */
  isFree(tenantId: number, commands: Command[]): Promise<boolean[]>;
  clock: Clock;
  log: Log;
  /** Most members of a transaction, 1 and up. */
  maxMembers: number;
  /** Most transactions at once, 1 and up: of one tenant, and of all, where slow ones are left out. */
  maxInFlight: number;
  /** Milliseconds after which a transaction is slow, as one that waits for a lock is. */
  slowMillis: number;
  /** Most slow transactions that are left out, 0 and up. */
  maxSlow: number;
  /** Members that are worth a transaction at once, 1 and up: fewer cost a part of what they would as several small ones. */
  worthwhileMembers: number;
  /**
   * Milliseconds after the beginning of the last transaction, 0 and up, until which fewer than that are gathered; unless it
   * is done and as many are there again as it had, such as the next request of a client that is alone, or of each of a few.
   * A transaction that takes longer, as one that waits for a lock, does not hold up the others.
   */
  gatherMillis: number;
  /** Most members waiting, in all lanes together; one tenant's may be three quarters of them. */
  maxWaiting: number;
  /** Milliseconds after which a member that is still waiting is told to come back. */
  maxWaitMillis: number;
  /** Milliseconds that a tenant's last batch may have waited before new members of that tenant are turned away. */
  shedAgeMillis: number;
  /** Milliseconds between two looks at members that are held up. */
  heldUpEveryMillis: number;
  /** Milliseconds after its arrival from which a member that is held up is refused. */
  heldUpMaxMillis: number;
  /** Most members of a tenant, and of all, that wait while they are held up. */
  heldUpMaxOfTenant: number;
  heldUpMaxOfAll: number;
  /** Told of every transaction: its members, and milliseconds from its start to its end. */
  onBatch?: (name: string, members: number, millis: number) => void;
}

/** A queue that turns single commands into batches. */
export interface MicroBatcher<Command, Answer> {
  /**
   * Queues a command behind those of its lane. Resolves with its answer once its transaction is committed.
   * Throws what its own decision was (a CouponError), `unavailable` when the queue is full, too old for its tenant or
   * closed, when the command waited too long, needs what somebody else holds or the database is lost, and `internal` when
   * its own data broke the transaction.
   */
  push(tenantId: number, command: Command): Promise<Answer>;
  /** Milliseconds that the oldest waiting member has waited, about; 0 when nobody waits. Of one tenant, or of any. */
  queueAgeMillis(tenantId?: number): number;
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
 * Opens a batcher. A batch is whatever arrived while the transactions before it ran, and where those were short, within
 * `gatherMillis`. A request to an idle system does not wait. A batch holds members of one tenant; tenants take turns, and so
 * do the lanes of a tenant, so that one hot book starves nobody.
 *
 * A lock that somebody else keeps holds up only whoever needs it: those members wait aside, and a transaction that is
 * slow, since it has met such a lock first, leaves room for others to begin, of other tenants first of all.
 */
export function openMicroBatcher<Command, Answer>(
  options: BatcherOptions<Command, Answer>,
): MicroBatcher<Command, Answer> {
  type Waiting = Member<Command, Answer>;
  const { name, clock, maxMembers, maxWaiting, maxWaitMillis, shedAgeMillis, onBatch } = options;
  const { worthwhileMembers, gatherMillis } = options;
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
  /** Runs while too few wait, or no other transaction may begin, until the moment at which one may. */
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

  /** Waits for the end of this turn of the event loop, in which everything that the socket has brought is pushed. */
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

  /** When a transaction begins for less than worthwhileMembers. */
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
      settle(tenantId, batch, false).finally(() => {
        land();
        onBatch?.(name, batch.length, clock.monotonic() - startedAt);
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

  async function settle(tenantId: number, batch: Waiting[], isApart: boolean): Promise<void> {
    try {
      const answers = await options.run(tenantId, commandsOf(batch), isApart);
      batch.forEach((member, index) => {
        const answer = answers[index]!;
        if (answer === heldUp) aside.add(tenantId, member);
        else if (answer instanceof CouponError) member.reject(answer);
        else member.resolve(answer);
      });
    } catch (error) {
      await settleFailed(tenantId, batch, isApart, error);
    }
  }

  /**
   * One member's data may have broken the whole transaction, or it waits for what nobody could name: halves find it, and
   * nobody else pays for it.
   */
  async function settleFailed(tenantId: number, batch: Waiting[], isApart: boolean, error: unknown): Promise<void> {
    const isHeld = isLockTimeout(error) && !isLate(batch);
    if (batch.length > 1 && (isPoison(error) || isHeld)) {
      const half = batch.length >> 1;
      await settle(tenantId, batch.slice(0, half), isApart || isHeld);
      await settle(tenantId, batch.slice(half), isApart || isHeld);
      return;
    }
    if (isHeld && !isApart) return settle(tenantId, batch, true);
    const answer = answerToFailure(error);
    options.log.error({ queue: name, members: batch.length, error: loggable(error) }, 'a batch failed');
    for (const member of batch) member.reject(answer);
  }

  /** Looking for the one that is held must end before its companions have waited too long. */
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
    waiting: () => lanes.size,
    close,
  };
}

function commandsOf<Command>(members: { command: Command }[]): Command[] {
  return members.map(({ command }) => command);
}

/** Whatever fails before COMMIT was sent is rolled back; a transaction whose COMMIT was lost says so itself. */
function answerToFailure(error: unknown): CouponError {
  if (error instanceof CouponError) return error;
  if (isLockTimeout(error)) return notBegun('What this request needs is held by another one for longer than usual.');
  if (isConnectionLoss(error) || isTimeout(error)) return notBegun('The database can’t be reached or is too slow.');
  return refuse('internal', 'This request could not be carried out, and nothing was changed.');
}

function notBegun(reason: string): CouponError {
  return unavailable('not-begun', `${reason} Repeat the request with the same Idempotency-Key.`);
}
