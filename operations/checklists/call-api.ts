/** One API, as a checklist calls it. */
export interface CheckedApi {
  readonly address: string;
  /** Whatever the answer's status is. @throws Error in one line where none comes in ten seconds */
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

const answerMillis = 10_000;

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
      const signal = AbortSignal.timeout(answerMillis);
      const init = { method, headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      try {
        // A redirect would take the key elsewhere, and is no answer of the API.
        const answer = await fetch(address + path, { ...init, redirect: 'manual' });
        const text = await answer.text();
        return { status: answer.status, text, json: jsonOf(text) };
      } catch (error) {
        throw new Error(`${address} gives no answer (${causeOf(error as Error)}): is it the right address?`);
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

function causeOf({ cause, name }: Error): string {
  return (cause as { code?: string } | undefined)?.code ?? name;
}
