import type { Clock } from '../clock.ts';
import type { Flights } from './flights.ts';

/** What departures are decided by. */
export interface DepartureOptions {
  clock: Clock;
  flights: Flights;
  /** Members waiting now. */
  waiting(): number;
  /** Whether a tenant with a waiting member may begin a transaction now. */
  mayDepart(): boolean;
  /** Begins a transaction, where one still may begin. */
  depart(): void;
  worthwhileMembers: number;
  gatherMillis: number;
}

/** Says when the next transaction of a queue begins. */
export interface Departures {
  /**
   * To be called whenever a member came or a transaction ended. At once, later or never it calls `depart`, once for any
   * number of calls meanwhile.
   */
  schedule(): void;
  /** Notes that a transaction with so many members has begun. */
  note(members: number, beganAt: number): void;
}

/** Opens the departures of a queue. */
export function openDepartures(options: DepartureOptions): Departures {
  const { clock, flights, waiting, mayDepart, depart, worthwhileMembers, gatherMillis } = options;
  let isScheduled = false;
  /** The timer that is set while too few wait or no transaction may begin, and the moment at which it fires. */
  let wait: { timer: NodeJS.Timeout; until: number } | null = null;
  let last = { beganAt: Number.NEGATIVE_INFINITY, members: 0 };

  function schedule(): void {
    if (isScheduled || waiting() === 0) return;
    if (!mayDepart()) {
      const pause = flights.millisUntilRoom();
      if (pause !== null) waitUntil(clock.monotonic() + pause, schedule);
      return;
    }
    if (waiting() < worthwhileMembers) {
      const until = fewDepartAt();
      if (until > clock.monotonic()) {
        waitUntil(until, depart);
        return;
      }
    }
    departSoon();
  }

  /** At the end of this turn of the event loop, when all requests that arrived in it have been pushed. */
  function departSoon(): void {
    cancelWait();
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      depart();
    });
  }

  function waitUntil(until: number, then: () => void): void {
    if (wait?.until === until) return;
    cancelWait();
    const wake = () => {
      wait = null;
      then();
    };
    wait = { timer: setTimeout(wake, Math.ceil(until - clock.monotonic())), until };
  }

  /** When a transaction may begin for fewer than worthwhileMembers. */
  function fewDepartAt(): number {
    const areAllBack = flights.count === 0 && waiting() >= last.members;
    return areAllBack ? Number.NEGATIVE_INFINITY : last.beganAt + gatherMillis;
  }

  function cancelWait(): void {
    if (wait !== null) clearTimeout(wait.timer);
    wait = null;
  }

  return {
    schedule,
    note(members, beganAt) {
      last = { beganAt, members };
    },
  };
}
