import { setTimeout as sleep } from 'node:timers/promises';
import type { BackgroundTask } from '../../background/run-tasks.ts';
import type { Core } from '../../core.ts';
import { loggable } from '../../db/sql-errors.ts';
import { answerMaxMillis, type OutboundAnswer } from '../../outbound/open-sender.ts';
import {
  endpointPauseAfter,
  isDelivered,
  nextWindow,
  pauseAfter,
  readRetryAfter,
  reasonToDisable,
} from '../retry-rules.ts';
import { claimEndpoints, releaseEndpoint } from './claim-endpoints.ts';
import type { Endpoint, Outgoing } from './endpoint.ts';
import { readOutgoing } from './read-outgoing.ts';
import { recordResults } from './record-results.ts';

type DeliveryCore = Pick<Core, 'backgroundPool' | 'clock' | 'config' | 'log' | 'random' | 'sender'>;

const restMillis = 1_000;
/** Between two looks for endpoints that nobody serves, and for what has come to be due at one that is served. */
const lookMillis = 500;
/** How many endpoints a process serves at once. One that hangs counts as one, and holds one request. */
const endpointsMax = 256;
/** What was read is sent within this time, or read again: it may hold the id of a user who is erased meanwhile. */
const freshMillis = 2_000;
/** No request is begun this shortly before the lease ends: it might outlast it. */
const leaseMarginMillis = answerMaxMillis + 5_000;
/** How long the end of the process waits for requests under way. Longer ones are sent again, by another process. */
const endMaxMillis = 6_000;

/** Sends deliveries, in every process: each serves the endpoints on which it has a lease. */
export function deliverTask(core: DeliveryCore): BackgroundTask {
  return { name: 'deliver webhooks', restMillis, run: (signal) => deliverWebhooks(core, signal) };
}

/**
 * Sends what is due until nothing is, or `signal` is aborted. An endpoint is served by one process at a time, with
 * several requests in flight, those of one coupon one after the other; each endpoint by itself, so that one that is
 * slow delays no other. What is sent and not recorded, since the process was killed, is sent again once its lease has
 * ended.
 */
export async function deliverWebhooks(core: DeliveryCore, signal: AbortSignal): Promise<'rest'> {
  const served = new Map<string, Promise<void>>();
  /** Webhooks that this process can't serve, as while CODE_SECRET is rotated. */
  const left = new Set<number>();
  while (!signal.aborted) {
    for (const endpoint of await claimEndpoints(core, endpointsMax - served.size, [...left])) {
      const name = `${endpoint.tenantId} ${endpoint.webhookKey} ${endpoint.fence}`;
      const end = serve(core, endpoint, signal)
        .then((result) => {
          if (result === 'left') left.add(endpoint.webhookKey);
        })
        .catch((error: unknown) => {
          core.log.warn({ error: loggable(error) }, 'a webhook’s deliveries failed and go on later');
        })
        .finally(() => served.delete(name));
      served.set(name, end);
    }
    if (served.size === 0) return 'rest';
    await Promise.race([...served.values(), rest(signal)]);
  }
  await Promise.all(served.values());
  return 'rest';
}

/**
 * Serves one endpoint until nothing is due there, or it needs a pause.
 * @returns `left` where this process can't serve it
 */
async function serve(core: DeliveryCore, endpoint: Endpoint, signal: AbortSignal): Promise<'served' | 'left'> {
  let isLeft = false;
  const bell = makeBell();
  /** Deliveries that were read and are not recorded as sent yet. In the database they are still due. */
  const sending = new Set<number>();
  const now = () => core.clock.monotonic();
  const isStopping = () => isLeft || signal.aborted || endpoint.pauseMillis !== null || endpoint.disable !== null;

  const pump = () => {
    while (!isStopping() && endpoint.inFlight < endpoint.window && endpoint.waiting.length > 0) {
      if (now() > endpoint.leaseEndsAt - leaseMarginMillis || now() > endpoint.readAt + freshMillis) {
        forgetWaiting(endpoint, sending);
        return;
      }
      const next = endpoint.waiting.shift()!;
      endpoint.inFlight += 1;
      void core.sender.send(next).then((answer) => {
        endpoint.inFlight -= 1;
        take(core, endpoint, next, answer);
        pump();
        bell.ring();
      });
    }
  };

  /** Reads the next deliveries that are due, once all that were read before are on their way. */
  const refill = async () => {
    const most = Math.max(8, 4 * endpoint.window);
    const read = await readOutgoing(core, endpoint, [...sending], most);
    endpoint.readAt = now();
    isLeft = read === null;
    if (read === null) return;
    endpoint.waiting.push(...read.outgoing);
    for (const { deliveryKey } of read.outgoing) sending.add(deliveryKey);
    for (const { deliveryKey } of read.gone) endpoint.results.push(removed(deliveryKey));
  };

  let endsAt = Number.POSITIVE_INFINITY;
  for (;;) {
    if (endpoint.results.length > 0) {
      const recorded = await recordResults(core, endpoint);
      if (recorded === null) return 'served';
      for (const deliveryKey of recorded) sending.delete(deliveryKey);
    }
    if (signal.aborted) endsAt = Math.min(endsAt, now() + endMaxMillis);
    if (isStopping()) forgetWaiting(endpoint, sending);
    else if (endpoint.waiting.length === 0) {
      await refill();
      pump();
    }
    if (endpoint.inFlight === 0 && endpoint.results.length === 0 && endpoint.waiting.length === 0) {
      tellDisabled(core, endpoint);
      await releaseEndpoint(core.backgroundPool, endpoint);
      return isLeft ? 'left' : 'served';
    }
    // A request that is under way may still arrive, so nobody sends it again before the lease has run out.
    if (now() > endsAt) return 'served';
    await bell.wait(lookMillis);
  }
}

function forgetWaiting(endpoint: Endpoint, sending: Set<number>): void {
  for (const { deliveryKey } of endpoint.waiting.splice(0)) sending.delete(deliveryKey);
}

/** Notes what came of a request, for the delivery and for the endpoint. */
function take(core: DeliveryCore, endpoint: Endpoint, sent: Outgoing, answer: OutboundAnswer): void {
  const { statusCode, error, millis } = answer;
  const attempt = { statusCode, retryAfterMillis: readRetryAfter(answer.retryAfter, core.clock.now()) };
  const delivered = isDelivered(attempt);
  const now = core.clock.monotonic();
  endpoint.failures = delivered ? 0 : endpoint.failures + 1;
  endpoint.failingSince = delivered ? null : (endpoint.failingSince ?? now);
  endpoint.window = nextWindow(endpoint.window, attempt, endpoint.failures);
  const rest = delivered ? null : pauseAfter(sent.attempts + 1, attempt, core.random.below(1_000) / 1_000);
  if (!delivered) {
    endpoint.disable ??= reasonToDisable(attempt, endpoint.failures, now - endpoint.failingSince!);
    const pauseMillis = endpointPauseAfter(endpoint.failures, attempt);
    if (pauseMillis > 0) endpoint.pauseMillis = Math.max(endpoint.pauseMillis ?? 0, pauseMillis);
  }
  endpoint.results.push({
    deliveryKey: sent.deliveryKey,
    status: delivered ? 'delivered' : rest === null ? 'failed' : 'pending',
    pauseMillis: rest ?? 0,
    statusCode,
    error,
    millis,
  });
}

function removed(deliveryKey: number): Endpoint['results'][number] {
  return { deliveryKey, status: 'failed', pauseMillis: 0, statusCode: null, error: 'event-removed', millis: null };
}

/** For the log, at a level that wakes somebody: resources/alarms.yml counts these lines. */
function tellDisabled({ log }: DeliveryCore, { tenantId, webhookKey, disable }: Endpoint): void {
  if (disable === null) return;
  log.error({ tenant: tenantId, webhook: webhookKey, reason: disable }, 'a webhook was disabled');
}

/** Wakes whoever waits. */
function makeBell() {
  let wake: (() => void) | null = null;
  let isRung = false;
  return {
    ring() {
      isRung = true;
      wake?.();
    },
    /** Resolves at the next ring, one that was before included, or after so long. */
    async wait(millis: number) {
      if (!isRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, millis);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      isRung = false;
      wake = null;
    },
  };
}

/**
 * Until it is time to look again, or the process is to end. It takes its listener back: the signal lives as long as the
 * process, and an endpoint that is always busy would leave two listeners a second on it.
 */
async function rest(signal: AbortSignal): Promise<void> {
  await sleep(lookMillis, undefined, { ref: false, signal }).catch(() => {});
}
