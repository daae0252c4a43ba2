import { ApiClient } from '../support/api-client.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, startTestPostgres } from '../support/start-postgres.ts';
import { type Answered, quantile, runOpenLoop, type Stream } from './open-loop.ts';

/** How many codes the noisy tenant has uploaded, all of which its patterns have to be compared with. */
const codesUploaded = 1_500_000;
const generatesAtOnce = 30;
const root = testSecrets.QURABLE_ADMIN_KEY;

/**
 * `npm run test:noisy [-- --seconds 25] [--codes 1500000]`: thirty generates at a time of one tenant, each of which is
 * compared with all its uploaded codes, beside another tenant's requests, in one process with four connections
 * (DB_POOL_MAX=4). Ends with exit code 1 where the other tenant's p99 is 200 ms or more, or a request of its fails.
 */
async function main(args: string[]): Promise<number> {
  const option = (name: string, usual: number) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : usual);
  const seconds = option('--seconds', 25);
  const postgres = await startTestPostgres();
  const database = await createTestDatabase('noisy');
  const api = await startApiProcess(database.url, { DB_POOL_MAX: '4' });
  try {
    const client = new ApiClient([api.address]);
    const { body: tenant } = await client.post('/v1/tenants', { slug: 'quiet', name: 'Quiet' });
    const quiet = (tenant.adminKey as { secret: string }).secret;
    const noisyBook = await makeBook(client, root);
    await upload(api.address, noisyBook, option('--codes', codesUploaded));
    const quietBook = await makeBook(client, quiet);
    const streams = await streamsOf(client, api.address, quietBook, quiet);
    report('before', await runOpenLoop(streams('before'), 5));
    const noise = makeNoise(client, noisyBook, performance.now() + seconds * 1000);
    const isGood = report(`beside ${generatesAtOnce} slow generates`, await runOpenLoop(streams('beside'), seconds));
    console.log(`the generates: ${JSON.stringify(await noise)}`);
    return isGood ? 0 : 1;
  } finally {
    await api.stop();
    await database.drop();
    await postgres.stop();
  }
}

async function makeBook(client: ApiClient, token: string): Promise<string> {
  const terms = { name: 'Book', status: 'active' };
  const { body } = await client.call('POST', '/v1/books', terms, { authorization: `Bearer ${token}` });
  return body.id;
}

async function upload(address: string, bookId: string, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => `NZ_${String(index).padStart(12, '0')}`);
  const answer = await fetch(`${address}/v1/books/${bookId}/codes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${root}`, 'content-type': 'text/csv' },
    body: `code\n${lines.join('\n')}\n`,
  });
  if (answer.status !== 201) throw new Error(`the upload was answered with ${answer.status}: ${await answer.text()}`);
}

async function streamsOf(client: ApiClient, address: string, bookId: string, token: string) {
  const as = { authorization: `Bearer ${token}` };
  await client.call('POST', `/v1/books/${bookId}/codes/generate`, { count: 1_000_000, pattern: 'Q-########' }, as);
  const { body } = await client.call('POST', '/v1/coupons/assign', { bookId, userId: 'first' }, as);
  return (run: string): Stream[] => [
    {
      name: 'assign',
      perSecond: 20,
      send: (index) => ({
        url: `${address}/v1/coupons/assign`,
        method: 'POST',
        token,
        body: { bookId, userId: `${run}-${index}` },
      }),
    },
    {
      name: 'read',
      perSecond: 20,
      send: () => ({ url: `${address}/v1/coupons/${body.code}`, method: 'GET', token }),
    },
    {
      name: 'PATCH',
      perSecond: 2,
      send: (index) => ({
        url: `${address}/v1/books/${bookId}`,
        method: 'PATCH',
        token,
        body: { description: `${run} ${index}` },
      }),
    },
    { name: '/ready', perSecond: 2, send: () => ({ url: `${address}/ready`, method: 'GET', token: '' }) },
  ];
}

/** Keeps so many generates under way; each brings a pattern of its own, since a known one needs no search. */
async function makeNoise(client: ApiClient, bookId: string, until: number): Promise<Record<string, number>> {
  const kinds: Record<string, number> = {};
  let made = 0;
  const generate = async (): Promise<void> => {
    while (performance.now() < until) {
      const ending = (made++ + 360).toString(36).toUpperCase().padStart(2, 'A');
      const pattern = `NZ_${'#'.repeat(12 - ending.length)}${ending}`;
      const { kind } = await client.post(`/v1/books/${bookId}/codes/generate`, { count: 10, pattern });
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: generatesAtOnce }, generate));
  return kinds;
}

function report(when: string, results: Map<string, Answered[]>): boolean {
  console.log(`\nanother tenant, ${when}`);
  console.log('| class | sent | ok | p50 | p99 | worst |\n|---|---|---|---|---|---|');
  let isGood = true;
  for (const [name, answers] of results) {
    const ok = answers.filter(({ status }) => status >= 200 && status < 300).length;
    const millis = answers.map((answer) => answer.millis);
    const p99 = quantile(millis, 0.99);
    const times = [quantile(millis, 0.5), p99, Math.max(...millis)].map((time) => `${Math.round(time)} ms`);
    console.log(`| ${[name, answers.length, ok, ...times].join(' | ')} |`);
    isGood &&= ok === answers.length && p99 < 200;
  }
  return isGood;
}

process.exitCode = await main(process.argv.slice(2));
