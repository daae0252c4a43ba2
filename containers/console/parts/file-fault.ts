import { useMemo } from 'preact/hooks';
import { fieldOf, type Problem, stillTold } from '../calls/problem.ts';
import { messages } from '../messages/messages.ts';

/** What is wrong with a file as a whole, to stand beside it; null: nothing that the console has words for. */
export function fileFault(problem: Problem | null): string | null {
  const words: Record<string, string> = messages().problems.files;
  return problem?.errors?.map(({ path }) => words[fieldOf(path)]).find((found) => found !== undefined) ?? null;
}

/** The problem without that; the same object for the same problem, since a box takes the focus for each new one. */
export function useBesideFile(problem: Problem | null): Problem | null {
  const words: Record<string, string> = messages().problems.files;
  return useMemo(() => stillTold(problem, (field) => words[field] === undefined), [problem]);
}
