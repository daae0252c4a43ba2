/** Most entries of a cache: some megabytes. What is dropped can be read again. */
export const cacheMaxEntries = 10_000;

/**
 * A map that forgets what was written longest ago once it holds `maxEntries`: an attacker must not be able to fill a
 * memory without end. Every memory of the process that grows with its input is such a map. Reading does not refresh an
 * entry, so a read costs one look-up. An entry that is dropped while it is still in use is read again, and is then the
 * newest.
 */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #maxEntries: number;

  /** @param maxEntries 1 and up */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Writes an entry as the newest. */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#maxEntries) return;
    // A Map gives its keys back in the order in which they came.
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }
}
