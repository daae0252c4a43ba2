import { divide, type Exact, exact, multiply } from './exact.ts';
import { bytesOfGigabyte, eventsOfRequest, hoursOfMonth, peakFactor } from './measured.ts';

/** What the service is asked in a month. */
export interface Load {
  /** A whole number, from 0 to 10,000,000,000. */
  requestsPerDay: number;
  /** Requests that come on one connection; merchants' backends keep theirs open. */
  requestsPerConnection: number;
  /** Whether the month has the calendar's Black Friday in it. */
  hasBlackFriday: boolean;
  /** Months of events that the database holds. */
  monthsKept: number;
}

/** What follows from a load, whatever serves it. */
export interface Demand {
  requestsOfMonth: Exact;
  connectionsOfMonth: Exact;
  eventsOfMonth: Exact;
  meanPerSecond: Exact;
  peakPerSecond: Exact;
}

const hoursOfDay = exact(24);
const secondsOfDay = exact(86_400);

/** What a load asks of the parts of a stage in a month. */
export function demandOf({ requestsPerDay, requestsPerConnection }: Load): Demand {
  const perDay = exact(requestsPerDay);
  const requestsOfMonth = divide(multiply(perDay, hoursOfMonth), hoursOfDay);
  const meanPerSecond = divide(perDay, secondsOfDay);
  return {
    requestsOfMonth,
    connectionsOfMonth: divide(requestsOfMonth, exact(requestsPerConnection)),
    eventsOfMonth: multiply(requestsOfMonth, eventsOfRequest),
    meanPerSecond,
    peakPerSecond: multiply(meanPerSecond, peakFactor),
  };
}

/** So many things of so many bytes, in gigabytes. */
export function gigabytes(count: Exact, bytes: Exact): Exact {
  return divide(multiply(count, bytes), bytesOfGigabyte);
}
