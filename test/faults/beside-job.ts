import { ApiClient } from '../support/api-client.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, startTestPostgres } from '../support/start-postgres.ts';
import { quantile, runOpenLoop, type Stream } from './open-loop.ts';

const token = testSecrets.QURABLE_ADMIN_KEY;

/**
 * `npm run test:beside-job [-- --seconds 10] [--turns 5] [--rate 100]`: the p99 of checkouts (assign, lock, redeem) in
 * a process that works on a job of a million rows, and without, in turns; the job is of the same book. Says the ratio,
 * and decides nothing: it is for a machine that does nothing else.
 */
async function main(args: string[]): Promise<number> {
  const option = (name: string, usual: number) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : usual);
  const [seconds, turns, rate] = [option('--seconds', 10), option('--turns', 5), option('--rate', 100)];
  const postgres = await startTestPostgres();
  const database = await createTestDatabase('beside job');
  const api = await startApiProcess(database.url);
  try {
    const client = new ApiClient([api.address]);
    const { body: book } = await client.post('/v1/books', { name: 'Busy', status: 'active' });
    await client.post(`/v1/books/${book.id}/codes/generate`, { count: 50_000_000, pattern: 'B-##########' });
    const load = checkouts(api.address, client, book.id, rate);
    await runOpenLoop(await load(seconds), 5);
    const p99 = { without: [] as number[], beside: [] as number[] };
    for (let turn = 0; turn < turns; turn += 1) {
      p99.without.push(await measure(await load(seconds), seconds));
      const job = await startJob(api.address, book.id);
      p99.beside.push(await measure(await load(seconds), seconds));
      const { body } = await client.post(`/v1/jobs/${job}/cancel`);
      console.log(`turn ${turn + 1}: the job did ${Math.round(Number(body.done) / seconds)} rows a second`);
    }
    const [without, beside] = [quantile(p99.without, 0.5), quantile(p99.beside, 0.5)];
    const figures = (all: number[]) => all.map((millis) => millis.toFixed(1)).join(', ');
    console.log(`p99 without a job: ${figures(p99.without)} ms; beside one: ${figures(p99.beside)} ms`);
    console.log(`medians ${without.toFixed(1)} and ${beside.toFixed(1)} ms: ${(beside / without).toFixed(2)} times`);
    return 0;
  } finally {
    await api.stop();
    await database.drop();
    await postgres.stop();
  }
}

async function measure(streams: Stream[], seconds: number): Promise<number> {
  const results = await runOpenLoop(streams, seconds);
  const answers = [...results.values()].flat();
  const failed = answers.filter(({ status }) => status < 200 || status >= 300).length;
  if (failed > 0) console.log(`${failed} of ${answers.length} requests failed`);
  return quantile(
    answers.map(({ millis }) => millis),
    0.99,
  );
}

/** Each third of the load: assigns, and locks and redeems of coupons that were assigned before. */
function checkouts(address: string, client: ApiClient, bookId: string, rate: number) {
  let users = 0;
  return async (seconds: number): Promise<Stream[]> => {
    const half = Math.ceil((seconds * rate) / 3) + 5;
    const userIds = Array.from({ length: 2 * half }, () => `c-${users++}`);
    const { body } = await client.post('/v1/coupons/assign-batch', { bookId, userIds });
    const coupons = body.results as { code: string; userId: string }[];
    const post = (path: string, fields: object) => ({
      url: `${address}/v1${path}`,
      method: 'POST',
      token,
      body: fields,
    });
    const on = (verb: string, coupon: { code: string; userId: string }) =>
      post(`/coupons/${coupon.code}/${verb}`, { userId: coupon.userId });
    return [
      { name: 'assign', perSecond: rate / 3, send: () => post('/coupons/assign', { bookId, userId: `c-${users++}` }) },
      { name: 'lock', perSecond: rate / 3, send: (index) => on('lock', coupons[index]!) },
      { name: 'redeem', perSecond: rate / 3, send: (index) => on('redeem', coupons[half + index]!) },
    ];
  };
}

async function startJob(address: string, bookId: string): Promise<string> {
  const rows = Array.from({ length: 1_000_000 }, (_, index) => `j-${index}`);
  const answer = await fetch(`${address}/v1/jobs?kind=assign&bookId=${bookId}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv' },
    body: `userId\n${rows.join('\n')}\n`,
  });
  return ((await answer.json()) as { id: string }).id;
}

process.exitCode = await main(process.argv.slice(2));
