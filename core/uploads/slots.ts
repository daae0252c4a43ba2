import { unavailable } from '../errors.ts';

interface Waiting {
  readonly tenantId: number;
  start(): void;
}

/** How many uploads run at once in a process, and how long others wait for a turn. */
export interface UploadSlotBounds {
  slots: number;
  waitMaxMillis: number;
}

/** The turns of a process's uploads. */
export class UploadSlots {
  readonly #slots: number;
  readonly #waitMaxMillis: number;
  /** Tenants whose upload runs. */
  readonly #running = new Set<number>();
  /** In the order of arrival. */
  readonly #waiting: Waiting[] = [];

  /** @param bounds.slots how many uploads run at once, of as many tenants */
  constructor({ slots, waitMaxMillis }: UploadSlotBounds) {
    this.#slots = slots;
    this.#waitMaxMillis = waitMaxMillis;
  }

  /**
   * Waits for a slot, in the order of arrival. A tenant has one slot at a time; its further uploads wait for that one
   * and do not delay other tenants.
   * @returns a function that gives the slot back; call it once
   * @throws CouponError `unavailable` after `waitMaxMillis`
   */
  async take(tenantId: number): Promise<() => void> {
    if (this.#mayStart(tenantId)) this.#running.add(tenantId);
    else await this.#wait(tenantId);
    return () => this.#giveBack(tenantId);
  }

  #mayStart(tenantId: number): boolean {
    return this.#running.size < this.#slots && !this.#running.has(tenantId);
  }

  #wait(tenantId: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        const whose = this.#running.has(tenantId) ? 'Another upload of this tenant is' : 'Too many uploads are';
        reject(unavailable('not-begun', `${whose} under way. Try again.`, 10));
      }, this.#waitMaxMillis);
      const waiting: Waiting = {
        tenantId,
        start: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiting.push(waiting);
    });
  }

  #giveBack(tenantId: number): void {
    this.#running.delete(tenantId);
    const next = this.#waiting.findIndex((waiting) => this.#mayStart(waiting.tenantId));
    if (next < 0) return;
    const [waiting] = this.#waiting.splice(next, 1);
    this.#running.add(waiting!.tenantId);
    waiting!.start();
  }
}
