/** One API, as a checklist calls it. */
export interface CheckedApi {
  readonly address: string;
  /** Whatever the answer's status is. @throws Error in one line with the address where none comes in time */
  ask(method: string, path: string, options?: { body?: object; isAnonymous?: boolean }): Promise<ApiAnswer>;
}

/** An answer, with its body as text and where it is JSON as an object. */
export interface ApiAnswer {
  status: number;
  text: string;
  json: Record<string, unknown>;
}

/** What an API is called with. Neither key nor body nor a code in a path is ever part of a message. */
export interface ApiOptions {
  address: string;
  /** null: none is sent. */
  key: string | null;
  fetch: typeof fetch;
  /** Makes the name of a request that changes something. */
  makeIdempotencyKey: () => string;
}

/**
 * How long an answer is waited for. The API itself refuses within some seconds what it can't do in time, so whoever
 * takes longer is not reached, or hangs. And a load balancer gives up only after a minute, which is too long for a
 * checklist of twenty calls.
 */
const answerMaxSeconds = 10;

/** Calls an API over HTTP. */
export function openApi({ address, key, fetch, makeIdempotencyKey }: ApiOptions): CheckedApi {
  return {
    address,
    ask: async (method, path, { body, isAnonymous = false } = {}) => {
      const headers = {
        ...(key === null || isAnonymous ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' && !path.endsWith('/validate') ? { 'idempotency-key': makeIdempotencyKey() } : {}),
      };
      const signal = AbortSignal.timeout(1_000 * answerMaxSeconds);
      const init = { method, headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      try {
        // A redirect would take the key elsewhere, and is no answer of the API.
        const answer = await fetch(address + path, { ...init, redirect: 'manual' });
        const text = await answer.text();
        return { status: answer.status, text, json: jsonOf(text) };
      } catch (error) {
        throw new Error(noAnswer(address, `${method} ${beginningOf(path)}`, error as Error));
      }
    },
  };
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** As much of a path as names what is asked: behind it a code may stand. */
function beginningOf(path: string): string {
  return path.split('?')[0]!.split('/').slice(0, 3).join('/');
}

function noAnswer(address: string, asked: string, { cause, name }: Error): string {
  if (name === 'TimeoutError')
    return `${address} gives no answer to ${asked} within ${answerMaxSeconds} seconds: look into the API’s log whether it is overloaded or hangs, and whether a firewall is in between`;
  const { code, message } = (cause ?? {}) as { code?: string; message?: string };
  return `${address} gives no answer to ${asked} (${code ?? message ?? name}): is it the right address, and does the API run there?`;
}
