import type { Clock } from '../clock.ts';

/** The bounds of transactions that run at once. */
export interface FlightLimits {
  /** Most transactions of one tenant, and most of all tenants that are not slow; 1 and up. */
  maxInFlight: number;
  /** A transaction that runs for longer is slow, in milliseconds. Normal ones end well before. */
  slowMillis: number;
  /** How many slow ones at most are not counted, so that waiting for a lock does not keep others from beginning. */
  maxSlow: number;
}

/** The transactions of a queue that are under way. */
export interface Flights {
  readonly count: number;
  /** Whether a tenant may begin another one now. */
  mayBegin(tenantId: number): boolean;
  /** Notes a beginning; returns what notes the end. */
  begin(tenantId: number): () => void;
  /** Milliseconds until the next one becomes slow, at least 1. Null: none will, or that would make no room. */
  millisUntilRoom(): number | null;
}

/** Opens the list of a queue's transactions. */
export function openFlights(clock: Clock, { maxInFlight, slowMillis, maxSlow }: FlightLimits): Flights {
  /** In the order of their beginnings. */
  const running = new Set<{ tenantId: number; beganAt: number }>();

  const isSlow = ({ beganAt }: { beganAt: number }) => clock.monotonic() - beganAt > slowMillis;

  return {
    get count() {
      return running.size;
    },
    mayBegin(tenantId) {
      // The usual case, which needs no look at the clock.
      if (running.size === 0) return true;
      const all = [...running];
      if (all.filter((flight) => flight.tenantId === tenantId).length >= maxInFlight) return false;
      return all.length < maxInFlight || all.length - Math.min(maxSlow, all.filter(isSlow).length) < maxInFlight;
    },
    begin(tenantId) {
      const flight = { tenantId, beganAt: clock.monotonic() };
      running.add(flight);
      return () => running.delete(flight);
    },
    millisUntilRoom() {
      if (running.size < maxInFlight || running.size >= maxInFlight + maxSlow) return null;
      const next = [...running].find((flight) => !isSlow(flight));
      return next === undefined ? null : Math.max(1, Math.ceil(next.beganAt + slowMillis - clock.monotonic()) + 1);
    },
  };
}
