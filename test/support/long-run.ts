/** Whether everything runs that takes long: `npm run test:long`. */
export const isLong = process.env.QURABLE_TEST_LONG === '1';

/** Of many kinds of the same thing: all of them in the long run, and in every other one those that are enough. */
export function allIfLong<T>(all: readonly T[], isEnough: (one: T) => boolean): T[] {
  return all.filter((one) => isLong || isEnough(one));
}
