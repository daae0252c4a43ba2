import { rest, untilAnswered } from './connection.ts';
import { lostConnection, type Problem, readProblem } from './problem.ts';
import { signInAgain } from './session.ts';

/** An answer of the API. */
export type Answer<T> =
  | {
      ok: true;
      status: number;
      body: T;
      etag: string | null;
      /** What the same key brought before: nothing was done again. */
      isReplayed: boolean;
    }
  | { ok: false; status: number; problem: Problem };

/** What a call may bring beside its method and path. */
export interface CallOptions {
  /** Sent as JSON. */
  body?: unknown;
  /** Names the request, so that a repeat has no second effect: see newKey. */
  key?: string;
  /** The revision that is to be changed and no other: `"3"`. */
  ifMatch?: string;
  /** The version that the caller has; the answer is 304 where it is still the present one. */
  ifNoneMatch?: string;
  /** Asked by the page itself, not by a person: it does not keep a session alive, nor ask anybody to sign in. */
  background?: boolean;
  /** Gives the call up. */
  signal?: AbortSignal;
}

/**
 * Calls the API with the cookie of the session. What got no answer is sent again with the same key, for half a minute,
 * and so is what the server was too busy for. Where the session has ended, somebody is asked to sign in again and the
 * call then goes on: what is on the page is not lost. It never throws: what goes wrong is a problem.
 * @param path such as `/v1/books`
 */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  // Without a key or a revision, a change that was carried out unseen would be carried out twice.
  const mayRepeat =
    method === 'GET' || method === 'DELETE' || options.key !== undefined || options.ifMatch !== undefined;
  const send = () => attempt<T>(method, path, options);
  const answer = mayRepeat && !options.background ? await untilAnswered(send, options.signal) : await send();
  if (answer === null) return { ok: false, status: 0, problem: lostConnection(path) };
  if (answer.ok || options.background) return answer;
  if (answer.status === 401 && (await signInAgain())) return call(method, path, options);
  const pause = answer.problem.retryAfterSeconds;
  if (answer.status === 503 && mayRepeat && pause !== null && pause <= 5 && !options.signal?.aborted) {
    await rest(pause * 1_000, options.signal);
    return (await send()) ?? { ok: false, status: 0, problem: lostConnection(path) };
  }
  return answer;
}

/** Names a request that is about to be composed. Made when a form or a dialog opens, and anew after a success. */
export function newKey(): string {
  return crypto.randomUUID();
}

/** Null where no answer came. */
async function attempt<T>(method: string, path: string, options: CallOptions): Promise<Answer<T> | null> {
  try {
    const response = await fetch(path, {
      method,
      headers: headersOf(options),
      credentials: 'same-origin',
      cache: 'no-store',
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const { status } = response;
    if (!response.ok && status !== 304) return { ok: false, status, problem: await readProblem(response, path) };
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    // A 304 has no body, and whoever asked for one looks at the status first.
    const body = (isJson && status !== 304 ? await response.json() : null) as T;
    const isReplayed = response.headers.has('idempotency-replayed');
    return { ok: true, status, body, etag: response.headers.get('etag'), isReplayed };
  } catch {
    return null;
  }
}

function headersOf({ body, key, ifMatch, ifNoneMatch, background }: CallOptions): Record<string, string> {
  return {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
    ...(background ? { 'qurable-background': 'true' } : {}),
  };
}
