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
 * Lets statements that are sent in one turn, up to the end of this turn's promises, go to the server as one write and be
 * answered as one: each statement apart costs both sides several system calls and a wake-up, which for a batch of a few
 * members is a fifth of its time. Statements are carried out one after the other, each on what those before it left. Once
 * one has failed, those behind it in the turn are not carried out, and all of them throw its error.
 *
 * Nothing of a turn is sent if one of its statements can't be written, as when a value refers to itself. What writes
 * itself, such as a COPY, goes out behind the statements sent before it. Outside BEGIN and COMMIT it is for reading only:
 * there, a turn's statements are one transaction whose end nobody is told of.
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
