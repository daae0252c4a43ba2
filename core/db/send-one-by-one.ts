import type pg from 'pg';
import type { Connection, Queryable } from './pool.ts';

/** The statements that are sent before this turn's promises have ended. */
interface Turn {
  failure: { error: unknown } | null;
}

/**
 * Sends each statement when the one before it was answered, by nothing but what the driver promises. Once one has
 * failed, those behind it in its turn are not sent and throw its error: behind a BEGIN that failed, they would be
 * carried out for good. What writes itself, such as a COPY, goes out in its place, whatever became of those before it.
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
