/** A book whose codes have come to be few or none, as operators are told of it. */
export interface StockNews {
  /** The tenant's slug. */
  tenant: string;
  bookId: string;
  /** The book's name at this moment. */
  name: string;
  /** `low`: no more than a tenth is left; `none`: nothing is. */
  stock: 'low' | 'none';
  codes: number;
  available: number;
  /** When it was seen, RFC 3339 in UTC. */
  at: string;
}

/** Tells operators, by whatever way they have subscribed to. */
export interface Announcer {
  /**
   * Resolves once the news was taken over for good, within 20 seconds; it is told again where the caller does not live
   * to see that.
   * @throws Error where it was not, or where nobody can know
   */
  announce(news: StockNews): Promise<void>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

/** An announcement takes no longer than this. */
export const announceMaxMillis = 20_000;
