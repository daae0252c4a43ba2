import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../../core/index.ts';

/** A log whose lines can be forced out before the process ends. */
export interface ContainerLog {
  log: Logger;
  flush(): void;
}

/**
 * Opens the log: one JSON line each, to the standard output. Lines are written in the background; a request never waits
 * for a slow pipe.
 */
export function openLog(level: Config['logLevel'], stream?: DestinationStream): ContainerLog {
  const out = stream ?? destination({ sync: false });
  const log = pino({ level, base: { service: 'qurable-api' }, timestamp: stdTimeFunctions.isoTime }, out);
  return {
    log,
    flush: () => ('flushSync' in out && typeof out.flushSync === 'function' ? out.flushSync() : undefined),
  };
}
