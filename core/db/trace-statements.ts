import type pg from 'pg';
import type { BatchTrace } from '../trace.ts';
import type { Queryable } from './pool.ts';

interface Turn {
  readonly names: string[];
  readonly from: number;
  waitedFor: number;
}

/**
 * Notes the statements of each turn of the event loop, which go out in one write, in a batch's trace: by name alone.
 */
export function traceStatements(statements: Queryable, trace: BatchTrace): Queryable {
  let turn: Turn | null = null;
  const query = (statement: string | pg.QueryConfig, values?: unknown[]) => {
    if (turn === null) {
      turn = { names: [], from: trace.now(), waitedFor: 0 };
      process.nextTick(() => {
        turn = null;
      });
    }
    const mine = turn;
    mine.names.push(typeof statement === 'string' ? 'unnamed' : (statement.name ?? 'unnamed'));
    mine.waitedFor += 1;
    const answer = statements.query(statement as string, values);
    const answered = () => {
      mine.waitedFor -= 1;
      if (mine.waitedFor === 0) trace.statements(mine.names, mine.from, trace.now());
    };
    answer.then(answered, answered);
    return answer;
  };
  return { query: query as Queryable['query'] };
}
