/** The part of a pino logger that the core writes to. Codes, tokens, keys and user ids never go in. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A log that drops everything, for commands and tests that want silence. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
