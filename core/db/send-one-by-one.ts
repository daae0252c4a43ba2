import type pg from 'pg';
import type { Connection, Queryable } from './pool.ts';

/** The statements of one turn of the event loop. */
interface Turn {
  failure: { error: unknown } | null;
}

/**
 * Sends each statement only when the one before it was answered, by the driver's public interface alone. Once a
 * statement has failed, those behind it in its turn are not sent and throw its error: behind a BEGIN that failed, they
 * would run outside of any transaction, and stay. What writes itself, such as a COPY, is sent in its place, whatever
 * became of those before it.
 */
export function sendOneByOne(connection: Connection): Queryable {
  let turn: Turn | null = null;
  let last: Promise<unknown> = Promise.resolve();

  const query = (statement: string | pg.QueryConfig | pg.Submittable, values?: unknown[]) => {
    if (typeof statement === 'object' && 'submit' in statement) {
      // The driver keeps what is sent behind it until it has ended.
      last = last.then(() => void connection.query(statement));
      return statement;
    }
    turn ??= beginTurn();
    const own = turn;
    const answer = last.then(async () => {
      if (own.failure !== null) throw own.failure.error;
      try {
        return await connection.query(statement, values);
      } catch (error) {
        own.failure = { error };
        throw error;
      }
    });
    last = answer.catch(() => {});
    return answer;
  };

  function beginTurn(): Turn {
    process.nextTick(() => {
      turn = null;
    });
    return { failure: null };
  }

  return { query: query as Queryable['query'] };
}
