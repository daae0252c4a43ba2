import { hash } from 'node:crypto';

/**
 * Texts that were seen, each kept as 128 bits of its SHA-256: a million of them take 32 MB, however long they are. Two
 * different texts that count as one have never been found.
 */
export class SeenKeys {
  #words = new BigUint64Array(2 * 1_024);
  #count = 0;

  /** Notes the text. Returns whether it is new. */
  add(text: string): boolean {
    const bytes = hash('sha256', text, 'buffer');
    // The odd word can't be zero, which marks a free place.
    const isNew = this.#put(bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8) | 1n);
    if (isNew) {
      this.#count += 1;
      if (8 * this.#count > 3 * this.#words.length) this.#grow();
    }
    return isNew;
  }

  #put(first: bigint, second: bigint): boolean {
    const words = this.#words;
    const places = words.length / 2;
    for (let place = Number(first & BigInt(places - 1)); ; place = (place + 1) % places) {
      if (words[2 * place + 1] === 0n) {
        words[2 * place] = first;
        words[2 * place + 1] = second;
        return true;
      }
      if (words[2 * place] === first && words[2 * place + 1] === second) return false;
    }
  }

  #grow(): void {
    const former = this.#words;
    this.#words = new BigUint64Array(2 * former.length);
    for (let at = 0; at < former.length; at += 2) {
      if (former[at + 1] !== 0n) this.#put(former[at]!, former[at + 1]!);
    }
  }
}
