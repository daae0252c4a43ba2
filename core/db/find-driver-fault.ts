import pg from 'pg';
import { StatementGroup, type Wire } from './statement-group.ts';

/** What is used of the driver beside what it promises, with the number of arguments that each takes. */
const queryMethods = {
  prepare: 1,
  handleRowDescription: 1,
  handleDataRow: 1,
  handleCommandComplete: 2,
  handleReadyForQuery: 1,
};
const wireMethods = { _send: 1, sync: 0, parse: 1, bind: 1, describe: 1, execute: 1 };

const int8 = 20;
const int8AsNumber = { getTypeParser: () => Number } as unknown as pg.CustomTypesConfig;

/**
 * Tests whether the driver still works as statement groups need it: they rely on methods and fields that are not a part
 * of its public interface, so any version may change them. Without a connection, it writes groups and reads their
 * answers.
 * @returns what has changed, in words for the log; null: nothing has
 */
export function findDriverFault(): string | null {
  try {
    checkMethods(pg.Query.prototype, queryMethods);
    checkMethods(pg.Connection.prototype, wireMethods);
    rehearse();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function checkMethods(prototype: object, methods: Record<string, number>): void {
  for (const [name, arity] of Object.entries(methods)) {
    const method = (prototype as Record<string, unknown>)[name];
    check(typeof method === 'function' && method.length === arity, `${name} is no method of ${arity} arguments`);
  }
}

/**
 * Two statements are written and answered; the one with a name again, which is known then; and once more, with an
 * error.
 */
function rehearse(): void {
  const stage = openStage();
  const named = { name: 'named', text: 'select $1', values: ['1'] };

  const first = stage.group(named, { text: 'select 2' });
  check(stage.written() === 'PBDEPBDES', 'a group is not written as it should be');
  check(stage.wire.submittedNamedStatements.named === named.text, 'a statement with a name is not noted');
  check(first.group.name === 'named', 'the first statement is not the one whose answer is awaited');
  // As the client does when the server has read it.
  stage.wire.parsedStatements.named = named.text;
  for (const value of ['7', '8']) {
    first.group.handleRowDescription({ fields: [{ name: 'n', dataTypeID: int8, format: 'text' }] });
    stage.answer(first.group, value);
  }
  first.group.handleReadyForQuery();
  check(JSON.stringify(first.answers) === '[[{"n":7}],[{"n":8}]]', 'rows are not taken in as they should be');

  const second = stage.group(named);
  check(stage.written() === 'BES', 'a statement that the server knows is not written as it should be');
  stage.answer(second.group, '9');
  check(JSON.stringify(second.answers) === '[[{"n":9}]]', 'columns that are known are not made use of');

  const third = stage.group({ name: 'late', text: 'select 3' }, named);
  third.group.handleError(new Error('refused'), stage.wire);
  check(JSON.stringify(third.answers) === '["refused","refused"]', 'an error does not reach each statement');
  check(!('late' in stage.wire.submittedNamedStatements), 'a statement that the server has not read counts as known');
}

/** A connection that leads nowhere, and groups that are written to it. */
function openStage() {
  let bytes = Buffer.alloc(0);
  const stream = {
    writable: true,
    write(piece: Buffer) {
      bytes = Buffer.concat([bytes, piece]);
      return true;
    },
  };
  const wire = new pg.Connection({ stream } as object) as unknown as Wire;
  return {
    wire,
    group(...statements: pg.QueryConfig[]) {
      const group = new StatementGroup();
      const answers: unknown[] = [];
      for (const statement of statements) {
        group.add(statement, undefined, (error, result) =>
          answers.push(error ? (error as Error).message : result!.rows),
        );
      }
      // A client hands its types to what it is to send, and sends nothing before it is connected, which this one never
      // is.
      new pg.Client({ types: int8AsNumber }).query(group);
      const failure = group.submit(wire as unknown as pg.Connection) as unknown as Error | null;
      check(failure === null, `a group is not written: ${failure?.message}`);
      return { group, answers };
    },
    /** The letters of the messages written since it was asked last. */
    written(): string {
      let letters = '';
      for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1))
        letters += String.fromCharCode(bytes[at]!);
      bytes = Buffer.alloc(0);
      return letters;
    },
    /** One row with one value, and the statement's end. */
    answer(group: StatementGroup, value: string) {
      group.handleDataRow({ fields: [value] });
      group.handleCommandComplete({ text: 'SELECT 1' }, wire);
    },
  };
}

function check(isRight: boolean, fault: string): void {
  if (!isRight) throw new Error(fault);
}
