import pg from 'pg';

/** The driver's connection below its client: it writes messages, and remembers which statements the server knows. */
export interface Wire {
  stream: { write(bytes: Buffer): void };
  parsedStatements: Record<string, string | undefined>;
  submittedNamedStatements: Record<string, string | undefined>;
  describe(portal: object): void;
}

/**
 * The server's description of the columns of an answer, as the driver parsed it; null: the statement returns no rows.
 */
type Columns = object | null;

/**
 * What the driver's query has and its types do not declare. A query writes itself to the connection, handles the
 * server's messages, and calls back once.
 */
interface DriverQuery {
  name?: string;
  text: string;
  callback: (error: unknown, result?: pg.QueryResult) => void;
  _result: { _types?: unknown };
  prepare(wire: Wire): void;
  handleRowDescription(columns: object): void;
  handleDataRow(message: object): void;
  handleCommandComplete(message: object, wire: Wire): void;
  handleReadyForQuery(wire: Wire): void;
}

/** The protocol's Sync message: its letter, then its length, which counts the four bytes of the length alone. */
const syncMessage = Buffer.from('S\0\0\0\x04', 'latin1');

/** The columns that named statements return, by connection, so that the server need not describe them every time. */
const knownColumns = new WeakMap<Wire, Map<string, Columns>>();

function knownColumnsOf(wire: Wire): Map<string, Columns> {
  let known = knownColumns.get(wire);
  if (known === undefined) {
    known = new Map();
    knownColumns.set(wire, known);
  }
  return known;
}

/**
 * Several statements with a single Sync at their end, which the driver takes for one query. At a Sync the server sends
 * its answers, and after an error it goes on from there. This relies on methods and fields that are not a part of the
 * driver's public interface. findDriverFault tests them; if it finds a fault, no group is made. See
 * https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class StatementGroup extends pg.Query {
  /** The client asks a query for these when the server has prepared a statement: here they are the current query's. */
  declare name: string | undefined;
  declare text: string;
  /** Set by the client; it ends the timer of `query_timeout`. */
  declare callback: ((error?: unknown) => void) | undefined;
  declare _result: { _types?: unknown };
  readonly #queries: DriverQuery[] = [];
  /** Of the connection that the group was written to. */
  #known = new Map<string, Columns>();
  #answered = 0;
  #columns: Columns = null;
  /** The names of statements that this group makes known to the server. */
  readonly #introduced = new Set<string>();
  /** For the client, in milliseconds: the longest that a query asks for, else the pool's. */
  query_timeout: number | undefined;

  constructor() {
    super({ text: '' });
    this.submit = (wire) => this.#write(wire as unknown as Wire);
  }

  /**
   * @param callback called once with the statement's own answer, or with what kept it or one before it from being
   *   carried out
   */
  add(statement: string | pg.QueryConfig, values: unknown[] | undefined, callback: DriverQuery['callback']): void {
    const query = new pg.Query(statement as pg.QueryConfig, values) as unknown as DriverQuery;
    this.#queries.push(query);
    const { query_timeout: own } = statement as { query_timeout?: number };
    if (own !== undefined) this.query_timeout = Math.max(own, this.query_timeout ?? 0);
    query.callback = callback;
  }

  /** Writes all queries at once; an error is returned, as the client expects it, and then nothing is written. */
  #write(wire: Wire): Error | null {
    this.#known = knownColumnsOf(wire);
    const bytes: Buffer[] = [];
    let isKnown = false;
    // Collects what a query would write, and leaves out what is known and the Sync behind each statement.
    const collector: Wire = Object.create(wire, {
      _send: { value: (message: Buffer) => bytes.push(message) },
      sync: { value: () => {} },
      describe: { value: (portal: object) => isKnown || wire.describe.call(collector, portal) },
    });
    let failure: Error | null = null;
    for (const query of this.#queries) {
      failure ??= this.#introduce(query, wire);
      isKnown = query.name !== undefined && this.#known.has(query.name);
      query._result._types = this._result._types;
      const { callback } = query;
      query.callback = (error) => {
        failure ??= error as Error;
      };
      query.prepare(collector);
      query.callback = callback;
    }
    if (failure !== null) return failure;
    wire.stream.write(Buffer.concat([...bytes, syncMessage]));
    this.#turnTo(0);
    return null;
  }

  /** With one name for two texts, the server would run the first text instead of the second. */
  #introduce({ name, text }: DriverQuery, wire: Wire): Error | null {
    if (name === undefined) return null;
    const before = wire.parsedStatements[name] ?? wire.submittedNamedStatements[name];
    if (before === undefined) this.#introduced.add(name);
    return before === undefined || before === text ? null : new Error(`two statements are named ${name}`);
  }

  get #current(): DriverQuery | undefined {
    return this.#queries[this.#answered];
  }

  /** What the server sends from now on is the answer to this query. */
  #turnTo(index: number): void {
    this.#answered = index;
    const query = this.#current;
    this.name = query?.name;
    this.text = query?.text ?? '';
    this.#columns = this.#known.get(this.name ?? '') ?? null;
    if (this.#columns !== null) query!.handleRowDescription(this.#columns);
  }

  handleRowDescription(columns: object): void {
    this.#columns = columns;
    this.#current!.handleRowDescription(columns);
  }

  handleDataRow(message: object): void {
    this.#current!.handleDataRow(message);
  }

  handleCommandComplete(message: object, wire: Wire): void {
    const query = this.#current!;
    query.handleCommandComplete(message, wire);
    if (query.name !== undefined) this.#known.set(query.name, this.#columns);
    this.#finish(query, wire);
  }

  /** The server's answer to an empty statement, instead of "command complete". */
  handleEmptyQuery(wire: Wire): void {
    this.#finish(this.#current!, wire);
  }

  #finish(query: DriverQuery, wire: Wire): void {
    this.#turnTo(this.#answered + 1);
    query.handleReadyForQuery(wire);
  }

  handleError(error: unknown, wire: Wire): void {
    for (const query of this.#queries.slice(this.#answered)) {
      // The server has not read it, or its connection is gone: the next one to send it must say its text again.
      const { name } = query;
      if (name !== undefined && this.#introduced.has(name)) delete wire.submittedNamedStatements[name];
      query.callback(error);
    }
    this.callback?.(error);
  }

  handleReadyForQuery(): void {
    this.callback?.();
  }
}
