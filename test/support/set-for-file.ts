import { afterAll } from '@jest/globals';

/**
 * Sets properties of an object that many modules share, until this test file has ended: files that run behind it in the
 * same process see the usual ones again.
 */
export function setForFile<T extends object>(shared: T, values: { [Name in keyof T]?: unknown }): void {
  const names = Object.keys(values) as (keyof T)[];
  const usual = names.map((name) => [name, shared[name]] as const);
  Object.assign(shared, values);
  afterAll(() => void Object.assign(shared, Object.fromEntries(usual)));
}
