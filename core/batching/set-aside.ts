import type { Clock } from '../clock.ts';

/** A member that is set aside. */
export interface Waiter {
  /** When its request arrived, in milliseconds of the monotonic clock. */
  since: number;
}

/** The parts and bounds of a set-aside. */
export interface SetAsideOptions<Item extends Waiter> {
  clock: Clock;
  /** Milliseconds between two checks. */
  everyMillis: number;
  /** A member is refused this long after its request arrived, in milliseconds. */
  maxWaitMillis: number;
  /** Most members of one tenant, and of all tenants. Further ones are refused at once. */
  maxOfTenant: number;
  maxOfAll: number;
  /**
   * Finds out which members could run now, in their order, without waiting for any lock. If it fails, none can.
   * One check runs at a time.
   */
  look(tenantId: number, members: Item[]): Promise<boolean[]>;
  /** Takes back a member that can run now. */
  onFree(tenantId: number, member: Item): void;
  /** Answers a member that has waited too long. */
  onRefused(member: Item): void;
}

/** Members that need a row or a gate that another session holds. They use no connection, no lock and no queue. */
export interface SetAside<Item> {
  add(tenantId: number, member: Item): void;
  readonly size: number;
  /** Refuses all members, those to come too. */
  close(): void;
}

/**
 * Opens a set-aside. If the lock is released within maxWaitMillis, the members run as usual. After that they are
 * refused, so that nobody waits for a lock that is never released.
 */
export function openSetAside<Item extends Waiter>(options: SetAsideOptions<Item>): SetAside<Item> {
  const { clock, everyMillis, maxWaitMillis, maxOfTenant, maxOfAll, look, onFree, onRefused } = options;
  const tenants = new Map<number, Set<Item>>();
  let size = 0;
  let isAwake = false;
  let isLooking = false;
  let isClosed = false;

  /** Returns whether the member was still there: a check may end after its members were refused. */
  function remove(tenantId: number, member: Item): boolean {
    const members = tenants.get(tenantId);
    if (members === undefined || !members.delete(member)) return false;
    if (members.size === 0) tenants.delete(tenantId);
    size -= 1;
    return true;
  }

  function refuseWhere(isOver: (member: Item) => boolean): void {
    for (const [tenantId, members] of [...tenants]) {
      for (const member of [...members]) if (isOver(member) && remove(tenantId, member)) onRefused(member);
    }
  }

  async function lookAtAll(): Promise<void> {
    isLooking = true;
    for (const [tenantId, members] of [...tenants]) {
      const asked = [...members];
      const free = await look(tenantId, asked).catch(() => []);
      for (const [index, member] of asked.entries()) {
        if (free[index] === true && remove(tenantId, member)) onFree(tenantId, member);
      }
    }
    isLooking = false;
  }

  /** Has a timer of its own: a check that hangs on the database must not delay a refusal. */
  function wake(): void {
    if (isAwake) return;
    isAwake = true;
    setTimeout(() => {
      isAwake = false;
      const now = clock.monotonic();
      refuseWhere(({ since }) => now - since > maxWaitMillis);
      if (size === 0) return;
      if (!isLooking) void lookAtAll();
      wake();
    }, everyMillis);
  }

  return {
    add(tenantId, member) {
      const members = tenants.get(tenantId) ?? new Set();
      const isLate = clock.monotonic() - member.since > maxWaitMillis;
      if (isClosed || isLate || size >= maxOfAll || members.size >= maxOfTenant) return onRefused(member);
      tenants.set(tenantId, members.add(member));
      size += 1;
      wake();
    },
    get size() {
      return size;
    },
    close() {
      isClosed = true;
      refuseWhere(() => true);
    },
  };
}
