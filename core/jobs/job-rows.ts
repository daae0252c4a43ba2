import type { ErrorKind } from '../errors.ts';
import type { LineProblem } from '../uploads/formats/row-sink.ts';

/**
 * What became of a row: what it did, the kind of the refusal that a single request would have got, or what is wrong
 * with its line.
 */
export type RowOutcome =
  | 'assigned'
  | 'voided'
  | ErrorKind
  | LineProblem
  | 'duplicate-in-file'
  | 'invalid-user-id'
  | 'invalid-count'
  | 'invalid-reason'
  | 'user-erased';

/** A row of a job's file, as `job_pieces` holds it. A line that can't be read is kept without its text. */
export interface JobRow {
  /** From 1, the heading included. */
  readonly line: number;
  /** Of an `assign`. Null once the user was erased. */
  readonly userId?: string | null;
  /**
   * Of a `void`: as the file has it, and once it was voided as it is stored. Of an `assign`: the code that was
   * assigned.
   */
  readonly code?: string;
  /** Of a `void`, until it has its outcome: the event keeps it then. */
  readonly reason?: string;
  /** Of a `void` that is not done: how often it has been tried, each time otherwise. */
  readonly tries?: 1 | 2;
  /** Missing: it is still to be done. */
  readonly outcome?: RowOutcome;
}

/** Whether a row is still to be done. */
export function isPending({ outcome }: JobRow): boolean {
  return outcome === undefined;
}

/** Whether a row has an outcome that is no success. */
export function isRefused({ outcome }: JobRow): boolean {
  return outcome !== undefined && outcome !== 'assigned' && outcome !== 'voided';
}

/** Rows a piece: as many as a batch has members, so that a piece can be one transaction, and is some 20 KB. */
export const pieceRows = 256;
