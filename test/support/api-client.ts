import { setTimeout as sleep } from 'node:timers/promises';
import { testSecrets } from './open-test-core.ts';

/** An answer of an API, with the fields that tests look at. */
export interface ApiAnswer {
  status: number;
  kind: string;
  replayed: boolean;
  body: {
    id: string;
    code: string;
    deckId: string;
    userId: string;
    status: string;
    rev: number;
    lockToken: string;
    redemptions: number;
    accepted: number;
    rejected: number;
    updatedAt: string;
    redemption: { id: string; at: string };
    counts: Record<string, number>;
    data: { code: string; at: string; kind: string; status: string }[];
    [field: string]: unknown;
  };
}

/** Calls that take turns between the API processes given, with the tests' root key. */
export class ApiClient {
  readonly #addresses: string[];
  readonly #isPatient: boolean;
  #turn = 0;

  /**
   * @param isPatient whether a call that was turned away with nothing begun (`rate-limited` too), or that has a key,
   *   is repeated when its answer says so, for tests that ask what becomes of calls and not whether a busy machine has
   *   time for them
   */
  constructor(addresses: string[], isPatient = false) {
    this.#addresses = addresses;
    this.#isPatient = isPatient;
  }

  post(path: string, body: object = {}, key?: string): Promise<ApiAnswer> {
    return this.call('POST', path, body, key === undefined ? {} : { 'idempotency-key': key });
  }

  get(path: string): Promise<ApiAnswer> {
    return this.call('GET', path);
  }

  /** Sends a request to the next process in turn. Rejects only when no answer comes. */
  async call(
    method: string,
    path: string,
    body?: object | string,
    headers: Record<string, string> = {},
  ): Promise<ApiAnswer> {
    for (;;) {
      const { retryAfterSeconds, ...answer } = await this.#send(method, path, body, headers);
      const isSafe = answer.body.outcome === 'not-begun' || headers['idempotency-key'] !== undefined;
      // The look-ups of one user wait for each other, and those that waited for too long are told to slow down.
      const isTurnedAway = answer.kind === 'rate-limited' || (answer.kind === 'unavailable' && isSafe);
      if (!this.#isPatient || !isTurnedAway) return answer;
      await sleep(retryAfterSeconds * 1_000);
    }
  }

  async #send(
    method: string,
    path: string,
    body: object | string | undefined,
    headers: Record<string, string>,
  ): Promise<ApiAnswer & { retryAfterSeconds: number }> {
    const address = this.#addresses[this.#turn++ % this.#addresses.length]!;
    const init: RequestInit = {
      method,
      headers: { authorization: `Bearer ${testSecrets.QURABLE_ADMIN_KEY}`, ...headers },
    };
    if (body !== undefined) {
      init.headers = { 'content-type': 'application/json', ...init.headers };
      init.body = typeof body === 'string' ? body : JSON.stringify(body);
    }
    const answer = await fetch(`${address}${path}`, init);
    const text = await answer.text();
    const parsed = (text === '' ? {} : JSON.parse(text)) as ApiAnswer['body'];
    const kind = answer.ok ? 'ok' : String(parsed.kind);
    return {
      status: answer.status,
      kind,
      replayed: answer.headers.get('idempotency-replayed') === 'true',
      body: parsed,
      retryAfterSeconds: Number(answer.headers.get('retry-after') ?? 0),
    };
  }
}

/** How many answers there were of each kind; successes are `ok`. */
export function countKinds(answers: ApiAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of answers) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Does `work` `count` times at once. */
export function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}
