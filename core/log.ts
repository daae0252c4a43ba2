/** The part of a pino logger that the core writes to. Codes, tokens, keys and user ids never go in. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Writes one line of the log, whatever LOG_LEVEL is. Resolves once the line, and those before it, have been handed to
 * the operating system, or have been given up because the log is dead or too slow: within 100 ms, and at once while it
 * is known to be. Never rejects. May be called from many places at a time; lines keep the order of the calls.
 */
export type WriteMark = (fields: object, message: string) => Promise<void>;

/** A log that drops everything, for commands and tests that want silence. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
