import { randomBytes, randomFillSync, randomInt } from 'node:crypto';
import type { Clock } from './clock.ts';

/** Where all randomness comes from, so that a test can replay a run. */
export interface Random {
  /** `count` unpredictable bytes, 0 to 65,536. */
  bytes(count: number): Buffer;
  /** A uniformly distributed whole number in `[0, bound)`; `bound` is 1 to 2^48 - 1. Throws RangeError otherwise. */
  below(bound: number): number;
}

/** What a new id is made of, see `newId`. */
export interface IdSource {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

/** Asking the generator costs much the same for 16 bytes as for thousands: a seventh of a redeem, asked each time. */
const stock = Buffer.alloc(4_096);
let used = stock.length;

/** Each byte of the stock is handed out once, and not kept. */
function takeFromStock(count: number): Buffer {
  if (used + count > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  const taken = Buffer.from(stock.subarray(used, used + count));
  stock.fill(0, used, used + count);
  used += count;
  return taken;
}

/** The operating system's generator. */
export const systemRandom: Random = {
  bytes: (count) => (count <= 64 ? takeFromStock(count) : randomBytes(count)),
  below: (bound) => (bound === 1 ? 0 : randomInt(bound)),
};

/** A new id of anything but a redemption, by this process's clock: see `uuidv7`. */
export function newId({ clock, random }: IdSource): string {
  return uuidv7(clock.now(), random);
}

/**
 * A UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits, so that ids made later sort later and
 * an index over them grows at its end.
 * @param now milliseconds since the Unix epoch
 */
export function uuidv7(now: number, random: Random): string {
  const bytes = random.bytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
