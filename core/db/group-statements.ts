import type pg from 'pg';
import { findDriverFault } from './find-driver-fault.ts';
import type { Connection, Queryable } from './pool.ts';
import { sendOneByOne } from './send-one-by-one.ts';
import { StatementGroup } from './statement-group.ts';

/**
 * Why statements are sent one by one in this process: what is other in the database driver than statement groups need.
 * Null where nothing is.
 */
export const driverFault = findDriverFault();

/**
 * Sends all statements of one turn of the event loop to the server in one write, and gets their answers in one. Sent
 * one by one, each costs both sides several system calls and a wake-up: a fifth of the time of a small batch.
 * Statements run one after the other. Once one has failed, the server skips the ones behind it in the turn, and all of
 * them throw its error.
 *
 * Nothing of a turn is sent if one of its statements can't be written, for example because a value refers to itself. A
 * COPY, which writes itself, goes out behind the statements sent before it. Outside BEGIN and COMMIT use it for reading
 * only: there, the statements of a turn are one transaction, and nobody learns how it ended.
 *
 * Where the driver is not as it must be for that (driverFault), they are sent one by one instead, which is slower.
 */
export function groupStatements(connection: Connection): Queryable {
  return driverFault === null ? sendInOneWrite(connection) : sendOneByOne(connection);
}

function sendInOneWrite(connection: Connection): Queryable {
  let group: StatementGroup | null = null;
  const sendGroup = () => {
    const full = group;
    group = null;
    if (full !== null) connection.query(full);
  };
  const query = (statement: string | pg.QueryConfig | pg.Submittable, values?: unknown[]) => {
    if (typeof statement === 'object' && 'submit' in statement) {
      sendGroup();
      return connection.query(statement);
    }
    if (group === null) {
      group = new StatementGroup();
      process.nextTick(sendGroup);
    }
    const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult>();
    group.add(statement, values, (error, result) => (error ? reject(error) : resolve(result!)));
    return promise;
  };
  return { query: query as Queryable['query'] };
}
