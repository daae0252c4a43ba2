import { once } from 'node:events';
import { from as copyFrom } from 'pg-copy-streams';
import type { Queryable } from '../pool.ts';

/** A COPY from this process into a table. Until it is finished or aborted its connection can do nothing else. */
export interface Copy {
  /** Sends pieces as fast as the database takes them. Throws what the database says against earlier ones. */
  write(pieces: readonly Buffer[]): Promise<void>;
  /** Returns when the rows are in the table. Throws what the database says against them. */
  finish(): Promise<void>;
  /** Ends it without storing a row; returns when the connection is free again. Call it after any failure. */
  abort(): Promise<void>;
}

/** Starts a COPY in binary format; `into` is a table with its columns. */
export function openCopy(connection: Queryable, into: string): Copy {
  const stream = connection.query(copyFrom(`copy ${into} from stdin with (format binary)`));
  // An error of the database is emitted once, perhaps while nobody waits. It is kept for the next call.
  let failure: Error | null = null;
  stream.on('error', (error: Error) => {
    failure = error;
  });
  return {
    async write(pieces) {
      for (const piece of pieces) {
        if (failure !== null) throw failure;
        if (!stream.write(piece)) await once(stream, 'drain');
      }
    },
    async finish() {
      if (failure !== null) throw failure;
      stream.end();
      await once(stream, 'finish');
    },
    async abort() {
      // An error from the database has ended the COPY already.
      if (failure !== null) return;
      stream.destroy();
      await once(stream, 'close').catch(() => {});
    },
  };
}
