import type { Log } from '../../../core/index.ts';

/** What is worth a line a second at most. */
const windowMillis = 1_000;
/** Most kinds of trouble that are told apart: far more than there are. Beyond that every line is written. */
const kindsMax = 200;
/** An error's own words, as far as they tell one from another. */
const messageMaxChars = 200;

interface Burst {
  repeats: number;
  last: object;
}

/**
 * A log in which warnings and errors of one kind make one line a second at most: the first at once, and at the end of
 * each second the last of it, with the number of `repeats` in that second. An outage then leaves a few lines that can
 * be read, and not one for each request and retry.
 * @param onEach told of every warning and error, those that are left out too
 */
export function limitRepeats(log: Log, onEach: (fields: object) => void): Log {
  const bursts = new Map<string, Burst>();

  const watch = (kind: string, tell: (fields: object) => void) => {
    const burst: Burst = { repeats: 0, last: {} };
    bursts.set(kind, burst);
    const end = () => {
      bursts.delete(kind);
      if (burst.repeats === 0) return;
      tell({ ...burst.last, repeats: burst.repeats });
      watch(kind, tell);
    };
    setTimeout(end, windowMillis).unref();
  };

  const limited = (level: 'warn' | 'error') => (fields: object, message: string) => {
    onEach(fields);
    const kind = `${level} ${message} ${causeOf(fields)}`;
    const burst = bursts.get(kind);
    if (burst !== undefined) {
      burst.repeats += 1;
      burst.last = fields;
      return;
    }
    log[level](fields, message);
    if (bursts.size < kindsMax) watch(kind, (last) => log[level](last, message));
  };

  return { info: (fields, message) => log.info(fields, message), warn: limited('warn'), error: limited('error') };
}

/** What tells kinds of trouble with the same message apart: the queue, and the error. */
function causeOf(fields: { queue?: unknown; error?: unknown }): string {
  const { queue, error } = fields;
  if (typeof error !== 'object' || error === null) return `${queue} ${error}`;
  const { sqlState, name, message } = error as Record<string, unknown>;
  return `${queue} ${sqlState ?? `${name} ${String(message).slice(0, messageMaxChars)}`}`;
}
