/** Entries of a memory of what could be asked for again: some megabytes each. */
export const cacheMaxEntries = 10_000;

/**
 * A map that forgets what was written longest ago once it holds `maxEntries`: what an attacker can fill must have an
 * end. Every memory of the process that grows with what comes in is one. Reading does not refresh an entry, so that a
 * read costs a map's look-up and nothing else: what is forgotten though it is used is asked for again, and is new then.
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
