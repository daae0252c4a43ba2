import type { Clock } from '../clock.ts';

/** Who waits aside. */
export interface Waiter {
  /** When its request came, in milliseconds of the monotonic clock. */
  since: number;
}

/** What the set-aside needs to know. */
export interface SetAsideOptions<Member extends Waiter> {
  clock: Clock;
  /** Milliseconds between two looks. */
  everyMillis: number;
  /** Milliseconds since its request's arrival after which a member is refused. */
  maxWaitMillis: number;
  /** Most members of one tenant, and of all; who comes beyond is refused at once. */
  maxOfTenant: number;
  maxOfAll: number;
  /**
   * Finds out, without waiting for any lock, which members could run now, in their order. A failure stands for none.
   * One look is under way at a time.
   */
  look(tenantId: number, members: Member[]): Promise<boolean[]>;
  /** Takes a member back whose way is free. */
  onFree(tenantId: number, member: Member): void;
  /** Answers a member that won't get its turn. */
  onRefused(member: Member): void;
}

/** Members that need what somebody else holds. They hold no connection, no lock and no place in a queue. */
export interface SetAside<Member> {
  add(tenantId: number, member: Member): void;
  readonly size: number;
  /** Refuses everyone, from now on. */
  close(): void;
}

/**
 * Opens a set-aside. A lock that is let go within maxWaitMillis costs its waiters nothing but time; who waits longer is
 * refused, so that nobody waits for a lock that is held for good.
 */
export function openSetAside<Member extends Waiter>(options: SetAsideOptions<Member>): SetAside<Member> {
  const { clock, everyMillis, maxWaitMillis, maxOfTenant, maxOfAll, look, onFree, onRefused } = options;
  const tenants = new Map<number, Set<Member>>();
  let size = 0;
  let isAwake = false;
  let isLooking = false;
  let isClosed = false;

  /** Whether it was still there: a look may end after its members were refused. */
  function remove(tenantId: number, member: Member): boolean {
    const members = tenants.get(tenantId);
    if (members === undefined || !members.delete(member)) return false;
    if (members.size === 0) tenants.delete(tenantId);
    size -= 1;
    return true;
  }

  function refuseWhere(isOver: (member: Member) => boolean): void {
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

  /** The time is watched apart from the looks: a look that hangs on the database must not keep anybody waiting. */
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
