import type { Problem as ApiProblem } from '../../api/schemas/problem.ts';
import type { Messages } from '../messages/messages.ts';

/**
 * Why something could not be done: a problem document of the API, or what only a browser can find out.
 * - `lost-connection`: no answer came, again and again
 * - `unreadable`: an answer came that is none of the API's, such as a proxy's own page
 * - `file-changed`: the file was written or moved after it was chosen, which lets nobody read it
 */
export interface Problem extends Omit<ApiProblem, 'kind'> {
  kind: ApiProblem['kind'] | 'lost-connection' | 'unreadable' | 'file-changed';
  /** After which a repeat makes sense, where the server says so. */
  retryAfterSeconds: number | null;
  /** By which an operator finds the request in the log. */
  requestId: string | null;
}

/** No answer came. Whether the request was carried out nobody knows, and only a repeat with its key can tell. */
export function lostConnection(path: string): Problem {
  return ownProblem('lost-connection', 0, path);
}

/** A file that was chosen can't be read any more. */
export function fileChanged(path: string): Problem {
  return ownProblem('file-changed', 0, path);
}

/** What the console finds wrong with a form by itself, before or beside the server: the words are the console's. */
export function withFaults(problem: Problem | null, fields: readonly FieldName[]): Problem | null {
  const told = problem?.errors ?? [];
  const added = fields.filter((field) => !told.some(({ path }) => fieldOf(path) === field));
  if (added.length === 0) return problem;
  const errors = [...told, ...added.map((field) => ({ path: `/${field}`, message: '' }))];
  return { ...(problem ?? ownProblem('invalid-input', 0, '')), errors };
}

/** A problem without what it says of other fields than these. */
export function stillTold(problem: Problem | null, isTold: (field: string) => boolean): Problem | null {
  if (problem?.errors === undefined) return problem;
  return { ...problem, errors: problem.errors.filter(({ path }) => isTold(fieldOf(path))) };
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

/** A field of a body, or a parameter, of which every language says what it takes. */
export type FieldName = keyof Messages['problems']['fields'];

/** What the server finds wrong with a field. */
export interface FieldFault {
  field: FieldName;
  /** In the server's words, which are English; empty where the console found it. */
  message: string;
}

/** What is wrong with one field of a body, or one parameter; null where nothing is. */
export function fieldError(problem: Problem | null, field: FieldName): FieldFault | null {
  const found = problem?.errors?.find(({ path }) => fieldOf(path) === field);
  return found === undefined ? null : { field, message: found.message };
}

/** The name of the field that a path leads to: `name` of `/name`. */
export function fieldOf(path: string): string {
  return path.replace(/^\//, '');
}

function ownProblem(kind: Problem['kind'], status: number, instance: string): Problem {
  return { type: '', kind, title: '', status, detail: '', instance, retryAfterSeconds: null, requestId: null };
}
