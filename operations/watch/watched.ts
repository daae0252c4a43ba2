/** What has been seen since a watch began. */
export interface Watched {
  requests: number;
  /** Answered with 5xx, by the API or by what stands before it. */
  errors: number;
  /** Whether one request in a hundred took more than a second, so far and as far as that can be known. */
  slow: SlowRequests;
  /** Error lines of the log, and the message of one of them; null where the log can't be had. */
  errorLines: { count: number; message: string } | null;
  /** What the database failed at; null where it is only in the log. */
  databaseFailures: number | null;
}

/** How many took more than a second, or in which minutes one in a hundred did. */
export type SlowRequests = { count: number; p99: string } | { slowMinutes: readonly boolean[]; p99: string };

/**
 * Where the figures of a watch come from.
 * @throws WatchLost where they can't be had any more
 */
export interface Source {
  /** What has been seen from the watch's begin until now. */
  read(): Promise<Watched>;
  /** Milliseconds after which what has happened is surely in the figures. */
  readonly lateMillis: number;
}

/** What is watched is not the same any more, or can't be asked; the message says what to do. */
export class WatchLost extends Error {
  override name = 'WatchLost';
}
