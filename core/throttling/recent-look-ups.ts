import { BoundedMap } from '../bounded-map.ts';
import { normaliseCode } from '../codes/code-rules.ts';
import { throttleLimits } from './throttle-limits.ts';

/**
 * How many of a token's recent look-ups failed. Repeats do not count: a code that was found, and a user whose look-ups
 * failed or succeeded, count once among the last thousand. So nobody can hide guesses behind the one code that they
 * know, or behind invented users.
 */
export class RecentLookUps {
  #total = 0;
  #failed = 0;
  readonly #codes = new BoundedMap<string, true>(throttleLimits.floodSpanLookups);
  readonly #users = new BoundedMap<string, true>(throttleLimits.floodSpanLookups);
  readonly #failedUsers = new BoundedMap<string, true>(throttleLimits.floodSpanLookups);

  get total(): number {
    return this.#total;
  }

  get failed(): number {
    return this.#failed;
  }

  /** @param userId null: no user was named; such look-ups are told apart by their codes */
  noteFound(code: string, userId: string | null): void {
    const isNewCode = isNew(this.#codes, oneSpelling(code));
    const isNewUser = userId === null || isNew(this.#users, userId);
    if (isNewCode && isNewUser) this.#add(0);
  }

  noteFailed(userId: string | null): void {
    if (userId === null || isNew(this.#failedUsers, userId)) this.#add(1);
  }

  /** Older look-ups weigh half, so that the share is recent. */
  #add(failed: 0 | 1): void {
    this.#total += 1;
    this.#failed += failed;
    if (this.#total < throttleLimits.floodSpanLookups) return;
    this.#total /= 2;
    this.#failed /= 2;
  }
}

/**
 * One text for all spellings of a code: folds letters that are read as digits, dashes, case and invisible characters.
 */
function oneSpelling(code: string): string {
  return normaliseCode(code).replaceAll('O', '0').replace(/[IL]/g, '1');
}

function isNew(names: BoundedMap<string, true>, name: string): boolean {
  if (names.get(name) === true) return false;
  names.set(name, true);
  return true;
}
