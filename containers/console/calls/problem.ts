import type { Problem as ApiProblem } from '../../api/schemas/problem.ts';

/**
 * Why something could not be done: a problem document of the API, or what only a browser can find out.
 * - `lost-connection`: no answer came, again and again
 * - `unreadable`: an answer came that is none of the API's, such as a proxy's own page
 */
export interface Problem extends Omit<ApiProblem, 'kind'> {
  kind: ApiProblem['kind'] | 'lost-connection' | 'unreadable';
  /** After which a repeat makes sense, where the server says so. */
  retryAfterSeconds: number | null;
  /** By which an operator finds the request in the log. */
  requestId: string | null;
}

/** No answer came. Whether the request was carried out nobody knows, and only a repeat with its key can tell. */
export function lostConnection(path: string): Problem {
  return ownProblem('lost-connection', 0, path);
}

/** Reads the problem out of an answer. */
export async function readProblem(response: Response, path: string): Promise<Problem> {
  return problemOf(response.status, (name) => response.headers.get(name), await response.text().catch(() => ''), path);
}

/** The problem in the parts of an answer. */
export function problemOf(
  status: number,
  header: (name: string) => string | null,
  text: string,
  path: string,
): Problem {
  const seconds = Number(header('retry-after'));
  const facts = {
    retryAfterSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : null,
    requestId: header('x-request-id'),
  };
  try {
    const body = JSON.parse(text) as ApiProblem;
    if (typeof body.kind === 'string' && typeof body.detail === 'string') return { ...body, ...facts };
  } catch {
    // Not the API's.
  }
  return { ...ownProblem('unreadable', status, path), ...facts };
}

/** The message for one field of a body, such as `/name`; null where nothing is wrong with it. */
export function fieldError(problem: Problem | null, path: string): string | null {
  return problem?.errors?.find((error) => error.path === path)?.message ?? null;
}

function ownProblem(kind: 'lost-connection' | 'unreadable', status: number, instance: string): Problem {
  return { type: '', kind, title: '', status, detail: '', instance, retryAfterSeconds: null, requestId: null };
}
