import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { BatchTrace, RequestTrace, Tracing } from '../trace.ts';
import { type BatchRun, commandsOf, heldTooLong, type Member, notBegun } from './batch.ts';
import { type Departures, openDepartures } from './departures.ts';
import { type Flights, openFlights } from './flights.ts';
import { type Lanes, openLanes, type TenantAges } from './lanes.ts';
import { openSetAside, type SetAside } from './set-aside.ts';
import { type SettleParts, settleBatch } from './settle-batch.ts';

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
  /** Most members answered in one turn of the event loop, 1 and up: see settle-batch.ts. */
  answeredATurn: number;
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
  return new Batcher(options);
}

class Batcher<Command, Answer> implements MicroBatcher<Command, Answer> {
  readonly #options: BatcherOptions<Command, Answer>;
  readonly #lanes: Lanes<Member<Command, Answer>>;
  readonly #flights: Flights;
  readonly #departures: Departures;
  readonly #aside: SetAside<Member<Command, Answer>>;
  readonly #settling: SettleParts<Command, Answer>;
  #isClosing = false;
  #onIdle: (() => void) | null = null;

  constructor(options: BatcherOptions<Command, Answer>) {
    const { clock, heldUpMaxMillis } = options;
    const lanes = openLanes<Member<Command, Answer>>(clock);
    const flights = openFlights(clock, options);
    this.#options = options;
    this.#lanes = lanes;
    this.#flights = flights;
    this.#departures = openDepartures({
      ...options,
      flights,
      waiting: () => lanes.size,
      mayDepart: () => lanes.next(flights.mayBegin) !== null,
      depart: () => this.#depart(),
    });
    this.#aside = openSetAside<Member<Command, Answer>>({
      clock,
      everyMillis: options.heldUpEveryMillis,
      maxWaitMillis: heldUpMaxMillis,
      maxOfTenant: options.heldUpMaxOfTenant,
      maxOfAll: options.heldUpMaxOfAll,
      look: (tenantId, members) => options.isFree(tenantId, commandsOf(members)),
      onFree: (tenantId, member) => this.#enqueue(tenantId, member),
      onRefused: (member) => {
        member.reject(notBegun(heldTooLong));
        this.#tellWhenIdle();
      },
    });
    this.#settling = { ...options, setAside: this.#aside.add };
  }

  push(tenantId: number, command: Command): Promise<Answer> {
    if (this.#isClosing) return Promise.reject(notBegun('The service is shutting down.'));
    if (this.#isFull(tenantId)) return Promise.reject(notBegun('The service has more work than it can do at once.'));
    return new Promise((resolve, reject) => {
      const now = this.#options.clock.monotonic();
      const lane = this.#options.laneOf(command);
      this.#enqueue(tenantId, { command, lane, since: now, queuedAt: now, resolve, reject });
    });
  }

  #isFull(tenantId: number): boolean {
    const { maxWaiting, shedAgeMillis } = this.#options;
    if (this.#lanes.size >= maxWaiting || this.#lanes.sizeOf(tenantId) >= Math.ceil(maxWaiting * 0.75)) return true;
    return this.#lanes.ageOf(tenantId) > shedAgeMillis;
  }

  #enqueue(tenantId: number, member: Member<Command, Answer>): void {
    member.queuedAt = this.#options.clock.monotonic();
    this.#lanes.add(tenantId, member.lane, member);
    this.#departures.schedule();
  }

  #depart(): void {
    const tenantId = this.#lanes.next(this.#flights.mayBegin);
    if (tenantId !== null) {
      const members = this.#dropOverdue(this.#lanes.take(tenantId, this.#options.maxMembers));
      if (members.length > 0) this.#begin(tenantId, members);
    }
    this.#departures.schedule();
    // Every member may have been overdue: then this was the last that close() waited for.
    if (tenantId !== null) this.#tellWhenIdle();
  }

  #begin(tenantId: number, members: Member<Command, Answer>[]): void {
    const { name, clock, onBatch } = this.#options;
    const land = this.#flights.begin(tenantId);
    const startedAt = clock.monotonic();
    this.#departures.note(members.length, startedAt);
    const trace = beginTrace(this.#options, members, startedAt);
    settleBatch(this.#settling, { tenantId, members, hasTimedOut: false, trace }).finally(() => {
      land();
      onBatch?.(name, members.length, clock.monotonic() - startedAt);
      trace?.end(clock.monotonic(), { 'qurable.members': members.length, 'qurable.tenant': tenantId });
      this.#departures.schedule();
      this.#tellWhenIdle();
    });
  }

  #dropOverdue(members: Member<Command, Answer>[]): Member<Command, Answer>[] {
    const now = this.#options.clock.monotonic();
    return members.filter((member) => {
      if (now - member.queuedAt <= this.#options.maxWaitMillis) return true;
      member.reject(notBegun('The request waited too long for its turn.'));
      return false;
    });
  }

  #isIdle(): boolean {
    return this.#flights.count === 0 && this.#lanes.size === 0 && this.#aside.size === 0;
  }

  #tellWhenIdle(): void {
    if (this.#isIdle()) this.#onIdle?.();
  }

  queueAgeMillis(tenantId?: number): number {
    return tenantId === undefined ? this.#lanes.age() : this.#lanes.ageOf(tenantId);
  }

  tenantAges(): TenantAges {
    return this.#lanes.agesAround(this.#options.maxMembers);
  }

  waiting(): number {
    return this.#lanes.size;
  }

  close(): Promise<void> {
    this.#isClosing = true;
    this.#aside.close();
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}

/** Null where nothing is traced, or none of these members is. */
function beginTrace<Command, Answer>(
  { name, tracing, traceOf }: BatcherOptions<Command, Answer>,
  members: Member<Command, Answer>[],
  startedAt: number,
): BatchTrace | null {
  if (tracing == null) return null;
  const traced: RequestTrace[] = [];
  for (const { command, queuedAt } of members) {
    const trace = traceOf?.(command);
    if (trace === undefined) continue;
    trace.part('wait', queuedAt, startedAt, { 'qurable.queue': name });
    traced.push(trace);
  }
  return traced.length === 0 ? null : tracing.beginBatch(name, startedAt, traced);
}
