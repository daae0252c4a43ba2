import type { Agent, Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import type { Resolve } from './open-connector.ts';
import { ForbiddenAddressError } from './public-address.ts';
import { targetUrlProblem } from './target-url.ts';

/** A POST to somebody else's server. */
export interface OutboundRequest {
  url: string;
  headers: Record<string, string>;
  /** The bytes, exactly. */
  body: string;
}

/** Why there was no answer. */
export const outboundErrors = [
  'address-not-allowed',
  'name-not-found',
  'timeout',
  'connection-failed',
  'tls-failed',
] as const;

/** One of them. */
export type OutboundError = (typeof outboundErrors)[number];

/** What came of a request. Nothing of an answer's body is kept. */
export interface OutboundAnswer {
  /** Null where there was no answer. */
  statusCode: number | null;
  /** Null where there was one. */
  error: OutboundError | null;
  /** The header of that name, as it came. */
  retryAfter: string | null;
  millis: number;
}

/** Sends requests to the internet, and never into the network that it is in. */
export interface Sender {
  /** Sends once, follows no redirect, and never rejects. An answer takes 15 seconds at most. */
  send(request: OutboundRequest): Promise<OutboundAnswer>;
  /** Cuts what is under way. What is sent afterwards is `connection-failed`. */
  close(): Promise<void>;
}

/** How long a receiver may take until its answer begins. */
export const answerMaxMillis = 15_000;
/** An answer's body is read to keep the connection, and no longer than this is worth it. */
const bodyMaxBytes = 65_536;
const bodyMaxMillis = 1_000;

/**
 * Opens a sender of this process.
 * @param parts.allowLoopback whether it may send to this very machine, over plain HTTP too: for development
 * @param parts.answerMaxMillis, parts.resolve for tests
 */
export function openSender(parts: {
  allowLoopback: boolean;
  clock: Clock;
  answerMaxMillis?: number;
  resolve?: Resolve;
}): Sender {
  const { allowLoopback, clock } = parts;
  let isClosed = false;
  let agent: Promise<Agent> | undefined;
  const deadline = parts.answerMaxMillis ?? answerMaxMillis;

  async function post({ url, headers, body }: OutboundRequest): Promise<Omit<OutboundAnswer, 'millis'>> {
    if (targetUrlProblem(url, allowLoopback) !== null) return failed('address-not-allowed');
    if (isClosed) return failed('connection-failed');
    const { origin, pathname, search } = new URL(url);
    const request = { origin, path: pathname + search, method: 'POST', headers, body } as const;
    try {
      agent ??= loadAgent(allowLoopback, parts.resolve);
      const opened = await agent;
      const signal = AbortSignal.timeout(deadline);
      const answer = await opened.request({ ...request, signal, headersTimeout: deadline, bodyTimeout: bodyMaxMillis });
      await letGo(answer.body);
      return { statusCode: answer.statusCode, error: null, retryAfter: firstOf(answer.headers['retry-after']) };
    } catch (error) {
      return failed(errorWord(error));
    }
  }

  return {
    async send(request) {
      const start = clock.monotonic();
      const answer = await post(request);
      return { ...answer, millis: Math.round(clock.monotonic() - start) };
    },
    async close() {
      isClosed = true;
      await (await agent)?.destroy();
    },
  };
}

/** A module of its own, with the hundred of undici: most processes never send anything. */
async function loadAgent(allowLoopback: boolean, resolve: Resolve | undefined): Promise<Agent> {
  const { openAgent } = await import('./open-agent.ts');
  return openAgent(allowLoopback, resolve);
}

/** The status is known, so whatever becomes of the body is no failure. */
async function letGo(body: Dispatcher.ResponseData['body']): Promise<void> {
  body.on('error', () => {});
  try {
    await body.dump({ limit: bodyMaxBytes, signal: AbortSignal.timeout(bodyMaxMillis) });
  } catch {
    body.destroy();
  }
}

function failed(error: OutboundError) {
  return { statusCode: null, error, retryAfter: null };
}

function firstOf(value: string | string[] | undefined): string | null {
  return [value].flat()[0] ?? null;
}

/** In words of our own: what systems say would tell about the network that they are in. */
function errorWord(error: unknown): OutboundError {
  if (error instanceof ForbiddenAddressError) return 'address-not-allowed';
  const { code = '', name = '' } = error as { code?: string; name?: string };
  if (/^(ENOTFOUND|EAI_)/.test(code)) return 'name-not-found';
  if (name === 'TimeoutError' || name === 'AbortError' || /TIMEOUT|TIMEDOUT/.test(code)) return 'timeout';
  if (/CERT|TLS|SSL|EPROTO|SIGNATURE|SELF_SIGNED|ISSUER/.test(code)) return 'tls-failed';
  return 'connection-failed';
}
