import { setTimeout as sleep } from 'node:timers/promises';

/** Screens that show the counts of a book, and whom they ask. */
export interface CountAskers {
  address: string;
  token: string;
  bookId: string;
  /** Each asks once a second, and says which version it has. */
  count: number;
}

/** Has so many screens ask for the counts of a book, each in its own moment of the second, while something is done. */
export async function besideCounts<T>(askers: CountAskers, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const screens = Array.from({ length: askers.count }, (_, index) => ask(askers, index, over.signal));
  try {
    return await work();
  } finally {
    over.abort();
    await Promise.all(screens);
  }
}

async function ask({ address, token, bookId, count }: CountAskers, index: number, over: AbortSignal): Promise<void> {
  const start = performance.now() + (index * 1_000) / count;
  let etag: string | null = null;
  for (let turn = 0; !over.aborted; turn += 1) {
    await sleep(Math.max(0, start + turn * 1_000 - performance.now()), undefined, { signal: over }).catch(() => {});
    if (over.aborted) return;
    const answer: Response = await fetch(`${address}/v1/books/${bookId}/counts`, {
      headers: { authorization: `Bearer ${token}`, ...(etag !== null && { 'if-none-match': etag }) },
    });
    await answer.arrayBuffer();
    if (answer.status !== 200 && answer.status !== 304) throw new Error(`counts were answered ${answer.status}`);
    etag = answer.headers.get('etag');
  }
}
