import { describe } from '@jest/globals';

/**
 * Chooses between running and skipping tests that need something a machine may lack. A skip is said in one loud line;
 * with CI=true there is no skipping, so that a green run there means that everything ran.
 *
 * @param what the need, as in "a redis-server on the PATH".
 * @param present whether this machine has it.
 * @returns `describe`, or `describe.skip`.
 * @throws Error with CI=true when the machine lacks it, which fails the whole test file.
 */
export function requireOrSkip(what: string, present: boolean): typeof describe | typeof describe.skip {
  if (present) return describe;
  if (process.env.CI === 'true') throw new Error(`CI=true and this machine lacks ${what}.`);
  process.stderr.write(`\nSKIPPED: this machine lacks ${what}.\n`);
  return describe.skip;
}
