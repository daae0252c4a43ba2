import { bookCounterStripes } from '../../books/counter-stripes.ts';
import type { BookKey } from '../../keys.ts';
import type { BatchCore } from './decide-batch.ts';
import { nameOf } from './obstacles.ts';

/** A stripe at random; the next one that is known to be free where somebody holds rows of the books' counters. */
export function drawStripe(
  { random, obstacles }: Pick<BatchCore, 'random' | 'obstacles'>,
  bookKeys: BookKey[],
): number {
  const drawn = random.below(bookCounterStripes);
  if (obstacles.isEmpty) return drawn;
  const inTurn = Array.from({ length: bookCounterStripes }, (_, k) => (drawn + k) % bookCounterStripes);
  const free = inTurn.find((stripe) => obstacles.areFree(bookKeys.map((bookKey) => nameOf.stripe(bookKey, stripe))));
  return free ?? drawn;
}
