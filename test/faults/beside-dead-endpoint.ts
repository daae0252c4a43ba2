import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '../support/api-client.ts';
import { startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, startTestPostgres } from '../support/start-postgres.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';
import { quantile } from './open-loop.ts';

/** Users of one call that assigns: the API's most. */
const usersOfCall = 10_000;

/**
 * `npm run test:beside-dead-endpoint [-- --events 10000] [--turns 5]`: how many deliveries a second an endpoint takes
 * which is well, beside two dead ones that want the same events, and without them, in turns. One of the dead hangs, the
 * other refuses connections, and what waits for them grows from turn to turn. Says the ratio, and decides nothing: it
 * is for a machine that does nothing else.
 */
async function main(args: string[]): Promise<number> {
  const option = (name: string, usual: number) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : usual);
  const [events, turns] = [option('--events', 10_000), option('--turns', 5)];
  const postgres = await startTestPostgres();
  const database = await createTestDatabase('beside dead endpoint');
  const api = await startApiProcess(database.url, { WEBHOOK_ALLOW_LOOPBACK: 'true' });
  const [calm, hanging, closed] = [await startReceiver(), await startReceiver(), await startReceiver()];
  hanging.answer = () => null;
  await closed.close();
  try {
    const client = new ApiClient([api.address]);
    const { body: book } = await client.post('/v1/books', { name: 'Calm', status: 'active' });
    await client.post(`/v1/books/${book.id}/codes/generate`, { count: 50_000_000, pattern: 'D-##########' });
    const makeWebhook = async ({ url }: Receiver) =>
      `/v1/webhooks/${(await client.post('/v1/webhooks', { url, events: ['coupon.assigned'] })).body.id}`;
    await makeWebhook(calm);
    const dead = [await makeWebhook(hanging), await makeWebhook(closed)];
    /** Of one that is switched on again, the failures so far are forgotten: it is tried as one that has just died. */
    const switchDead = async (status: 'enabled' | 'disabled') => {
      for (const path of dead) await client.call('PATCH', path, { status });
    };
    const pace = paceOf(client, book.id, calm, events);
    await switchDead('disabled');
    await pace();
    const paces = { without: [] as number[], beside: [] as number[] };
    for (let turn = 0; turn < turns; turn += 1) {
      paces.without.push(await pace());
      await switchDead('enabled');
      const asked = hanging.received.length;
      paces.beside.push(await pace());
      await switchDead('disabled');
      console.log(`turn ${turn + 1}: the one that hangs was sent ${hanging.received.length - asked} requests`);
    }
    const [without, beside] = [quantile(paces.without, 0.5), quantile(paces.beside, 0.5)];
    const figures = (all: number[]) => all.map((each) => each.toFixed(0)).join(', ');
    console.log(`deliveries a second without: ${figures(paces.without)}; beside the dead: ${figures(paces.beside)}`);
    console.log(`medians ${without.toFixed(0)} and ${beside.toFixed(0)}: ${(beside / without).toFixed(2)} times`);
    return 0;
  } finally {
    await api.stop();
    await Promise.all([calm.close(), hanging.close()]);
    await database.drop();
    await postgres.stop();
  }
}

/** Makes events, and says how many a second the endpoint took, from the first of them to the last. */
function paceOf(client: ApiClient, bookId: string, { received }: Receiver, events: number): () => Promise<number> {
  let users = 0;
  return async () => {
    const before = received.length;
    for (let made = 0; made < events; made += usersOfCall) {
      const count = Math.min(usersOfCall, events - made);
      const userIds = Array.from({ length: count }, () => `d-${users++}`);
      await client.post('/v1/coupons/assign-batch', { bookId, userIds });
    }
    const seen = { first: 0, count: 0 };
    while (received.length < before + events) {
      if (seen.first === 0 && received.length > before) {
        seen.first = performance.now();
        seen.count = received.length - before;
      }
      await sleep(5);
    }
    return ((events - seen.count) * 1_000) / (performance.now() - seen.first);
  };
}

process.exitCode = await main(process.argv.slice(2));
