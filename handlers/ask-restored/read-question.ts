import type { RestoredAnswers } from '../../core/index.ts';

/** Which database is to be asked. */
export interface Question {
  host: string;
  port: number;
  /** The moment that was restored, in milliseconds since the Unix epoch. */
  restoredTo: number;
  /** What an earlier call answered, which was not all; null for the first. */
  before: RestoredAnswers | null;
}

/**
 * Reads the state of the drill (resources/drill.yml).
 * @throws Error where it does not say which database, or when
 */
export function readQuestion(event: unknown): Question {
  const { found, begun, asked } = (event ?? {}) as {
    found?: { host?: unknown; port?: unknown };
    begun?: { restoreTo?: unknown };
    asked?: RestoredAnswers;
  };
  const restoredTo = Date.parse(String(begun?.restoreTo));
  if (typeof found?.host !== 'string' || !Number.isInteger(found.port) || Number.isNaN(restoredTo))
    throw new Error('the state of a drill with found.host, found.port and begun.restoreTo must be given');
  return { host: found.host, port: found.port as number, restoredTo, before: asked ?? null };
}
