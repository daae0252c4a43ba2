import type { Clock } from '../clock.ts';
import { isConnectionLoss, isPoison, isTimeout, loggable } from '../db/sql-errors.ts';
import { CouponError, refuse } from '../errors.ts';
import type { Log } from '../log.ts';

/** Runs one batch of one tenant in one transaction and answers every member, in order; a refusal is an answer too. */
export type BatchRun<Command, Answer> = (tenantId: number, commands: Command[]) => Promise<(Answer | CouponError)[]>;

/** What a batcher needs to know. */
export interface BatcherOptions<Command, Answer> {
  /** Names the queue in metrics and logs. */
  name: string;
  run: BatchRun<Command, Answer>;
  clock: Clock;
  log: Log;
  /** Most members of a transaction, 1 and up. */
  maxMembers: number;
  /** Most transactions at once, 1 and up. */
  maxInFlight: number;
  /** Members that are worth a transaction at once, 1 and up: fewer cost a part of what they would as several small ones. */
  worthwhileMembers: number;
  /**
   * Milliseconds after the beginning of the last transaction, 0 and up, until which fewer than that are gathered; unless it
   * is done and as many are there again as it had, such as the next request of a client that is alone, or of each of a few.
   * A transaction that takes longer, as one that waits for a lock, does not hold up the others.
   */
  gatherMillis: number;
  /** Most members waiting, in all lanes together. */
  maxWaiting: number;
  /** Milliseconds after which a member that is still waiting is told to come back. */
  maxWaitMillis: number;
  /** Milliseconds that the last batch may have waited before new members are turned away. */
  shedAgeMillis: number;
  /** Told of every transaction: its members, and milliseconds from its start to its end. */
  onBatch?: (name: string, members: number, millis: number) => void;
}

/** A queue that turns single commands into batches. */
export interface MicroBatcher<Command, Answer> {
  /**
   * Queues a command behind those of the same lane. Resolves with its answer once its transaction is committed.
   * Throws what its own decision was (a CouponError), `unavailable` when the queue is full, too old or closed, when
   * the command waited too long or the database is lost, and `internal` when its own data broke the transaction.
   */
  push(tenantId: number, lane: number | string, command: Command): Promise<Answer>;
  /** Milliseconds that the oldest waiting member has waited, about; 0 when nobody waits. */
  queueAgeMillis(): number;
  /** Members waiting now. */
  waiting(): number;
  /** Turns new members away, answers all that are in, and resolves when nothing is in flight. */
  close(): Promise<void>;
}

interface Member<Command, Answer> {
  command: Command;
  since: number;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/** The members of one (tenant, book), first come first served. */
interface Lane<Command, Answer> {
  name: number | string;
  members: Member<Command, Answer>[];
}

interface Tenant<Command, Answer> {
  id: number;
  lanes: Map<number | string, Lane<Command, Answer>>;
}

/**
 * Opens a batcher. A batch is whatever arrived while the transactions before it ran, and where those were short, within
 * `gatherMillis`. A request to an idle system does not wait. A batch holds members of one tenant; tenants take turns, and so
 * do the lanes of a tenant, so that one hot book starves nobody.
 */
export function openMicroBatcher<Command, Answer>(
  options: BatcherOptions<Command, Answer>,
): MicroBatcher<Command, Answer> {
  const { name, clock, maxMembers, maxInFlight, maxWaiting, maxWaitMillis, shedAgeMillis, onBatch } = options;
  const { worthwhileMembers, gatherMillis } = options;
  const tenants = new Map<number, Tenant<Command, Answer>>();
  let waiting = 0;
  let inFlight = 0;
  let scheduled = false;
  /** Runs while too few wait, until the moment at which they are enough. */
  let patience: { timer: NodeJS.Timeout; until: number } | null = null;
  let last = { beganAt: Number.NEGATIVE_INFINITY, members: 0 };
  let closing = false;
  let lastWaitMillis = 0;
  let lastTakenAt = 0;
  let onIdle: (() => void) | null = null;

  function push(tenantId: number, laneName: number | string, command: Command): Promise<Answer> {
    if (closing) return Promise.reject(unavailable('The service is shutting down.'));
    if (waiting >= maxWaiting || queueAgeMillis() > shedAgeMillis) {
      return Promise.reject(unavailable('The service has more work than it can do at once.'));
    }
    return new Promise((resolve, reject) => {
      laneOf(tenantId, laneName).members.push({ command, since: clock.monotonic(), resolve, reject });
      if (waiting === 0) startWaiting();
      waiting += 1;
      schedule();
    });
  }

  /** The first to wait finds no queue: how long others waited before it, maybe long ago, turns nobody away. */
  function startWaiting(): void {
    lastWaitMillis = 0;
    lastTakenAt = clock.monotonic();
  }

  function laneOf(tenantId: number, laneName: number | string): Lane<Command, Answer> {
    let tenant = tenants.get(tenantId);
    if (tenant === undefined) {
      tenant = { id: tenantId, lanes: new Map() };
      tenants.set(tenantId, tenant);
    }
    let lane = tenant.lanes.get(laneName);
    if (lane === undefined) {
      lane = { name: laneName, members: [] };
      tenant.lanes.set(laneName, lane);
    }
    return lane;
  }

  /** Waits for the end of this turn of the event loop, in which everything that the socket has brought is pushed. */
  function schedule(): void {
    if (scheduled || inFlight >= maxInFlight || waiting === 0) return;
    if (waiting < worthwhileMembers) {
      const until = fewBeginAt();
      if (patience?.until === until) return;
      const pause = until - clock.monotonic();
      if (pause > 0) {
        endPatience();
        patience = { timer: setTimeout(dispatch, Math.ceil(pause)), until };
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

  /** When a transaction begins for less than worthwhileMembers. */
  function fewBeginAt(): number {
    const areAllBack = inFlight === 0 && waiting >= last.members;
    return areAllBack ? Number.NEGATIVE_INFINITY : last.beganAt + gatherMillis;
  }

  function endPatience(): void {
    if (patience !== null) clearTimeout(patience.timer);
    patience = null;
  }

  function dispatch(): void {
    endPatience();
    const tenant = tenants.values().next().value;
    if (tenant === undefined || inFlight >= maxInFlight) return;
    const batch = dropOverdue(take(tenant));
    if (batch.length > 0) {
      inFlight += 1;
      const startedAt = clock.monotonic();
      last = { beganAt: startedAt, members: batch.length };
      settle(tenant.id, batch).finally(() => {
        inFlight -= 1;
        onBatch?.(name, batch.length, clock.monotonic() - startedAt);
        schedule();
        tellWhenIdle();
      });
    }
    schedule();
    // Every member may have been overdue: then this was the last that close() waited for.
    tellWhenIdle();
  }

  function tellWhenIdle(): void {
    if (inFlight === 0 && waiting === 0) onIdle?.();
  }

  /** Takes up to maxMembers of a tenant, an equal share a lane, and sends tenant and lanes to the end of their rows. */
  function take(tenant: Tenant<Command, Answer>): Member<Command, Answer>[] {
    const batch: Member<Command, Answer>[] = [];
    while (batch.length < maxMembers && tenant.lanes.size > 0) {
      const share = Math.max(1, Math.floor((maxMembers - batch.length) / tenant.lanes.size));
      for (const lane of [...tenant.lanes.values()]) {
        if (batch.length >= maxMembers) break;
        batch.push(...lane.members.splice(0, Math.min(share, maxMembers - batch.length)));
        tenant.lanes.delete(lane.name);
        if (lane.members.length > 0) tenant.lanes.set(lane.name, lane);
      }
    }
    tenants.delete(tenant.id);
    if (tenant.lanes.size > 0) tenants.set(tenant.id, tenant);
    waiting -= batch.length;
    return batch;
  }

  function dropOverdue(batch: Member<Command, Answer>[]): Member<Command, Answer>[] {
    const now = clock.monotonic();
    lastTakenAt = now;
    lastWaitMillis = batch.reduce((longest, member) => Math.max(longest, now - member.since), 0);
    return batch.filter((member) => {
      if (now - member.since <= maxWaitMillis) return true;
      member.reject(unavailable('The request waited too long for its turn.'));
      return false;
    });
  }

  async function settle(tenantId: number, batch: Member<Command, Answer>[]): Promise<void> {
    try {
      const answers = await options.run(
        tenantId,
        batch.map((member) => member.command),
      );
      batch.forEach((member, index) => {
        const answer = answers[index]!;
        if (answer instanceof CouponError) member.reject(answer);
        else member.resolve(answer);
      });
    } catch (error) {
      await settleFailed(tenantId, batch, error);
    }
  }

  /** One member's data may have broken the whole transaction: halves find it, and nobody else pays for it. */
  async function settleFailed(tenantId: number, batch: Member<Command, Answer>[], error: unknown): Promise<void> {
    if (isPoison(error) && batch.length > 1) {
      const half = batch.length >> 1;
      await settle(tenantId, batch.slice(0, half));
      await settle(tenantId, batch.slice(half));
      return;
    }
    const answer = answerToFailure(error);
    options.log.error({ queue: name, members: batch.length, error: loggable(error) }, 'a batch failed');
    for (const member of batch) member.reject(answer);
  }

  function queueAgeMillis(): number {
    return waiting === 0 ? 0 : lastWaitMillis + (clock.monotonic() - lastTakenAt);
  }

  function close(): Promise<void> {
    closing = true;
    if (inFlight === 0 && waiting === 0) return Promise.resolve();
    return new Promise((resolve) => {
      onIdle = resolve;
    });
  }

  return { push, queueAgeMillis, waiting: () => waiting, close };
}

function answerToFailure(error: unknown): CouponError {
  if (error instanceof CouponError) return error;
  if (isConnectionLoss(error) || isTimeout(error)) return unavailable('The database can’t be reached or is too slow.');
  return refuse('internal', 'This request could not be carried out, and nothing was changed.');
}

function unavailable(reason: string): CouponError {
  return refuse('unavailable', `${reason} Repeat the request with the same Idempotency-Key.`, { retryAfterSeconds: 1 });
}
