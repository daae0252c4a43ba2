import { limits } from '../limits.ts';

/** A caller's own JSON object, kept as it is and never looked into. */
export type Metadata = Record<string, unknown>;

/**
 * What is wrong with a value that should be metadata, in words that follow its name, or null where nothing is: an
 * object of at most limits.metadataMaxBytes bytes of JSON and limits.jsonMaxDepth levels, whose texts PostgreSQL can
 * hold (no NUL, no half of a surrogate pair).
 */
export function metadataProblem(value: unknown): string | null {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return 'must be a JSON object';
  const problem = problemWithin(value, 1);
  if (problem !== null) return problem;
  if (Buffer.byteLength(JSON.stringify(value)) > limits.metadataMaxBytes) {
    return `must have at most ${limits.metadataMaxBytes} bytes as JSON`;
  }
  return null;
}

/** True for a text that PostgreSQL can hold and give back as it was. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

function problemWithin(value: unknown, depth: number): string | null {
  if (typeof value === 'string') {
    return isStorableText(value) ? null : 'must not hold NUL characters or lone surrogates';
  }
  if (value === null || typeof value !== 'object') return null;
  if (depth > limits.jsonMaxDepth) return `must not be nested deeper than ${limits.jsonMaxDepth} levels`;
  for (const [key, part] of Object.entries(value)) {
    const problem = problemWithin(key, depth) ?? problemWithin(part, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}
