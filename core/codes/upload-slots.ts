import { refuse } from '../errors.ts';

/** Each upload sorts and merges on a connection of its own; more at once would only share the same disk. */
const slotsMax = 2;
/** An upload of a million codes takes some seconds. */
const waitMaxMillis = 30_000;

const waiting: (() => void)[] = [];
let taken = 0;

/**
 * Waits for its turn among this process's uploads, in the order of arrival.
 * @returns what gives the slot back; to be called once
 * @throws CouponError `unavailable` after 30 seconds
 */
export async function takeUploadSlot(): Promise<() => void> {
  if (taken < slotsMax) taken += 1;
  else await waitForSlot();
  return giveBack;
}

function waitForSlot(): Promise<void> {
  return new Promise((resolve, reject) => {
    const start = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(start), 1);
      reject(refuse('unavailable', 'Too many uploads are under way. Try again.', { retryAfterSeconds: 10 }));
    }, waitMaxMillis);
    waiting.push(start);
  });
}

/** The slot goes straight to whoever waits longest. */
function giveBack(): void {
  const next = waiting.shift();
  if (next) next();
  else taken -= 1;
}
