import { limits } from '../limits.ts';

/** What is wrong with a value, in words that follow its name and say how to mend it. */
export class Fault {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/**
 * What a value of JSON holds that nothing downstream may see, whatever its shape, in words that follow its name; null
 * where it holds none: a text that PostgreSQL can't give back as it was, or more than limits.jsonMaxDepth levels.
 */
export function unsafeValueProblem(value: unknown): string | null {
  return problemWithin(value, 1);
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

function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
