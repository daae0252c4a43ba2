import { setTimeout as sleep } from 'node:timers/promises';

/** What became of one request. */
export interface Answered {
  /** The HTTP status; 0: no answer came. */
  status: number;
  /** Milliseconds from the moment at which it was due to its answer. */
  millis: number;
  retryAfter: string | null;
  outcome: string | null;
  /** Beside what else it was sent: when it was due, in milliseconds of `performance.now()`. */
  dueAt: number;
}

/** Requests of one kind, a steady number a second, whatever becomes of those before. */
export interface Stream {
  name: string;
  perSecond: number;
  send(index: number): { url: string; method: string; token: string; body?: object; headers?: Record<string, string> };
}

/** Sends all streams for so long, each request when it is due, and waits for every answer. */
export async function runOpenLoop(streams: readonly Stream[], seconds: number): Promise<Map<string, Answered[]>> {
  const results = new Map(streams.map(({ name }) => [name, [] as Answered[]]));
  const start = performance.now();
  await Promise.all(
    streams.map(async ({ name, perSecond, send }, at) => {
      const under: Promise<void>[] = [];
      const count = Math.max(1, Math.floor(seconds * perSecond));
      for (let index = 0; index < count; index += 1) {
        // Streams are shifted against each other, so that they do not beat in step.
        const dueAt = start + ((index + at / streams.length) * 1000) / perSecond;
        await sleep(Math.max(0, dueAt - performance.now()));
        under.push(request(send(index), dueAt).then((answered) => void results.get(name)!.push(answered)));
      }
      await Promise.all(under);
    }),
  );
  return results;
}

async function request(sent: ReturnType<Stream['send']>, dueAt: number): Promise<Answered> {
  try {
    const answer = await fetch(sent.url, {
      method: sent.method,
      headers: {
        authorization: `Bearer ${sent.token}`,
        ...(sent.body && { 'content-type': 'application/json' }),
        ...sent.headers,
      },
      ...(sent.body && { body: JSON.stringify(sent.body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    const millis = performance.now() - dueAt;
    const outcome = answer.ok ? null : outcomeOf(text);
    return { status: answer.status, millis, retryAfter: answer.headers.get('retry-after'), outcome, dueAt };
  } catch {
    return { status: 0, millis: performance.now() - dueAt, retryAfter: null, outcome: null, dueAt };
  }
}

function outcomeOf(text: string): string | null {
  try {
    return (JSON.parse(text) as { outcome?: string }).outcome ?? null;
  } catch {
    return null;
  }
}

/** The value below which a share of the values lies; 0 where there are none. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
