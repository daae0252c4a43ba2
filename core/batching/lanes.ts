import type { Clock } from '../clock.ts';

/** What waits in a lane. */
export interface Queued {
  /** When it came into its lane, in milliseconds of the monotonic clock. */
  queuedAt: number;
}

/** The members that wait, by tenant and lane. A lane is served in order of arrival; lanes and tenants take turns. */
export interface Lanes<Item extends Queued> {
  /** Members waiting, in all lanes. */
  readonly size: number;
  /** Members of one tenant that wait. */
  sizeOf(tenantId: number): number;
  /** Puts a member at the end of its lane. */
  add(tenantId: number, lane: number | string, member: Item): void;
  /** The first tenant in turn that `mayRun`; null: there is none. */
  next(mayRun: (tenantId: number) => boolean): number | null;
  /**
   * Takes up to `most` members of a tenant, an equal share from each lane. Tenant and lanes go to the end of the turn.
   */
  take(tenantId: number, most: number): Item[];
  /** About how long the oldest member of a tenant has waited, in milliseconds; 0 where none waits. */
  ageOf(tenantId: number): number;
  /** The same for the tenant whose member has waited longest. */
  age(): number;
  /** The same apart, by how much a tenant has waiting: more than `members`, or as many and fewer. */
  agesAround(members: number): TenantAges;
}

/**
 * How long the oldest member has waited, in milliseconds, of tenants that fill whole transactions (`heavy`) and of the
 * others (`light`), whom fair turns keep from waiting behind them.
 */
export interface TenantAges {
  light: number;
  heavy: number;
}

/** The members of one (tenant, lane). */
interface Lane<Item> {
  name: number | string;
  members: Item[];
}

interface Tenant<Item> {
  lanes: Map<number | string, Lane<Item>>;
  size: number;
  /** How long the members that were taken last had waited, and when. Forgotten when the queue was empty in between. */
  lastWaitMillis: number;
  lastTakenAt: number;
}

/** Opens an empty set of lanes. A tenant without members takes no room. */
export function openLanes<Item extends Queued>(clock: Clock): Lanes<Item> {
  const tenants = new Map<number, Tenant<Item>>();
  let size = 0;

  function laneOf(tenant: Tenant<Item>, name: number | string): Lane<Item> {
    let lane = tenant.lanes.get(name);
    if (lane === undefined) {
      lane = { name, members: [] };
      tenant.lanes.set(name, lane);
    }
    return lane;
  }

  function ageOf(tenantId: number): number {
    const tenant = tenants.get(tenantId);
    return tenant === undefined ? 0 : tenant.lastWaitMillis + (clock.monotonic() - tenant.lastTakenAt);
  }

  return {
    get size() {
      return size;
    },
    sizeOf: (tenantId) => tenants.get(tenantId)?.size ?? 0,
    add(tenantId, name, member) {
      let tenant = tenants.get(tenantId);
      if (tenant === undefined) {
        tenant = { lanes: new Map(), size: 0, lastWaitMillis: 0, lastTakenAt: clock.monotonic() };
        tenants.set(tenantId, tenant);
      }
      laneOf(tenant, name).members.push(member);
      tenant.size += 1;
      size += 1;
    },
    next(mayRun) {
      for (const tenantId of tenants.keys()) if (mayRun(tenantId)) return tenantId;
      return null;
    },
    take(tenantId, most) {
      const tenant = tenants.get(tenantId)!;
      const batch = takeShares(tenant, most);
      const now = clock.monotonic();
      tenant.lastTakenAt = now;
      tenant.lastWaitMillis = batch.reduce((longest, { queuedAt }) => Math.max(longest, now - queuedAt), 0);
      tenant.size -= batch.length;
      size -= batch.length;
      tenants.delete(tenantId);
      if (tenant.size > 0) tenants.set(tenantId, tenant);
      return batch;
    },
    ageOf,
    age: () => Math.max(0, ...[...tenants.keys()].map(ageOf)),
    agesAround(members) {
      const ages: TenantAges = { light: 0, heavy: 0 };
      for (const [tenantId, { size: waiting }] of tenants) {
        const kind = waiting > members ? 'heavy' : 'light';
        ages[kind] = Math.max(ages[kind], ageOf(tenantId));
      }
      return ages;
    },
  };
}

function takeShares<Item>(tenant: Tenant<Item>, most: number): Item[] {
  const batch: Item[] = [];
  while (batch.length < most && tenant.lanes.size > 0) {
    const share = Math.max(1, Math.floor((most - batch.length) / tenant.lanes.size));
    for (const lane of [...tenant.lanes.values()]) {
      if (batch.length >= most) break;
      batch.push(...lane.members.splice(0, Math.min(share, most - batch.length)));
      tenant.lanes.delete(lane.name);
      if (lane.members.length > 0) tenant.lanes.set(lane.name, lane);
    }
  }
  return batch;
}
