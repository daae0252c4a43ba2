/** Attributes of spans: names of things, numbers, kinds. Never a code, a user id, a token or a key. */
export type TraceAttributes = Readonly<Record<string, string | number | readonly string[]>>;

/**
 * A sampled request's trace, carried by its caller through the queues. All times are of Clock.monotonic, in
 * milliseconds.
 */
export interface RequestTrace {
  /** Notes a part of the request that is over. */
  part(name: string, from: number, to: number, attributes: TraceAttributes): void;
}

/** The trace of a batch in which at least one sampled request is. It is one of its own: a batch has many parents. */
export interface BatchTrace {
  now(): number;
  /** Notes statements that went out in one write, by their names, and came back. */
  statements(names: readonly string[], from: number, to: number): void;
  /** Ends it. */
  end(to: number, attributes: TraceAttributes): void;
}

/** Begins traces of batches. What it does can't fail, and never waits. */
export interface Tracing {
  /** @param members the sampled requests in it, one or more; the first 32 are linked */
  beginBatch(queue: string, from: number, members: readonly RequestTrace[]): BatchTrace;
}
