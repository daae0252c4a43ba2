import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { assignCoupon, createBook, createWebhook, generateCodes, redeemCoupon } from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { handOn } from '../support/deliver-webhooks.ts';
import { isLong } from '../support/long-run.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { patiently } from '../support/patiently.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { type Received, type Receiver, startReceiver } from '../support/webhook-receiver.ts';

/** Enough that both processes have events to tell when one of them is killed. */
const coupons = isLong ? 50_000 : 400;
/** Each coupon is assigned and redeemed. */
const events = 2 * coupons;
jest.setTimeout(isLong ? 1_800_000 : 300_000);

const loopback = { WEBHOOK_ALLOW_LOOPBACK: 'true' };
/** An endpoint, and the webhook that leads to it. */
interface Target extends Receiver {
  webhookId: string;
}

let testCore: TestCore;
/** Waits for the locks of the processes for as long as they hold them. */
let pool: pg.Pool;
let bookId: string;
let failing: Target;
let calm: Target;
let dead: Target;
let processes: ApiProcess[] = [];

beforeAll(async () => {
  testCore = await openTestCore('webhook_load', {}, loopback);
  const { core } = testCore;
  pool = new pg.Pool({ connectionString: testCore.database.url, max: 1 });
  bookId = (await createBook(core, admin, { name: 'Load', status: 'active' }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: coupons, pattern: 'LOAD-########' }, null);
  [failing, calm, dead] = [await makeTarget(), await makeTarget(), await makeTarget()];
});
afterAll(async () => {
  await Promise.all(processes.map((each) => each.stop()));
  await Promise.all([failing, calm, dead].map((each) => each.close()));
  await pool.end();
  await testCore.close();
});

async function makeTarget(): Promise<Target> {
  const receiver = await startReceiver();
  const input = { url: receiver.url, events: ['coupon.assigned' as const, 'coupon.redeemed' as const] };
  const { body } = await createWebhook(testCore.core, admin, input, null);
  return Object.assign(receiver, { webhookId: body.id });
}

const taken = ({ received }: Receiver) => received.filter(({ status }) => status === 200);

async function until(isThere: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isThere())) await sleep(50);
}

/** Does something for each coupon, some hundred at a time. */
async function forEachCoupon<Result>(make: (index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  while (results.length < coupons) {
    const some = Array.from({ length: Math.min(500, coupons - results.length) }, (_, at) => make(results.length + at));
    results.push(...(await Promise.all(some)));
  }
  return results;
}

/** The leases of the endpoints that live, by webhook. */
async function readFences(): Promise<Map<string, number>> {
  const { rows } = await testCore.core.pool.query<{ id: string; fence: number }>(
    'select id, fence from webhooks where id = any($1)',
    [[failing.webhookId, calm.webhookId]],
  );
  return new Map(rows.map(({ id, fence }) => [id, fence]));
}

/** Lets the leases of a process that was killed come to their end, unless another one has the endpoint by now. */
async function endLeases(fences: Map<string, number>): Promise<void> {
  for (const held of fences) {
    await pool.query(
      'update webhooks set lease_until = clock_timestamp() where id = $1 and fence = $2 and lease_until is not null',
      held,
    );
  }
}

/** Lets the hours pass for which failed messages of the endpoint rest. */
async function passRests(): Promise<void> {
  await pool.query(
    `with resting as materialized (
       select delivery_id, tenant_id from webhook_deliveries
       where webhook_id = (select webhook_id from webhooks where id = $1) and status = 'pending'
         and next_at > clock_timestamp() + interval '3 seconds'
       limit 5000 for update skip locked)
     update webhook_deliveries d set next_at = clock_timestamp() from resting
     where d.delivery_id = resting.delivery_id and d.tenant_id = resting.tenant_id`,
    [failing.webhookId],
  );
  await pool.query('update webhooks set retry_at = clock_timestamp() where id = $1 and retry_at > clock_timestamp()', [
    failing.webhookId,
  ]);
}

/** Fails a third of the time, cuts some connections once half is there, and hangs for a while towards the end. */
function makeTrouble(): (request: Received) => number | null | 'cut' {
  const failures = new Map<string, number>();
  const left = { cuts: 12, hangs: 8 };
  let asked = 0;
  let got = 0;
  return ({ id }) => {
    asked += 1;
    if (got > events / 2 && left.cuts > 0) {
      left.cuts -= 1;
      return 'cut';
    }
    if (got > (events * 3) / 4 && left.hangs > 0) {
      left.hangs -= 1;
      return null;
    }
    const failed = failures.get(id) ?? 0;
    // None of one message so often that it would be given up.
    if (asked % 3 === 0 && failed < 4) {
      failures.set(id, failed + 1);
      return 500;
    }
    got += 1;
    return 200;
  };
}

const nameOf = ({ code, rev, type }: { code: string; rev: number; type: string }) => `${code} ${rev} ${type}`;

/** What happened, by the database. */
async function namesOfEvents(): Promise<string[]> {
  const { rows } = await testCore.core.pool.query<{ code: string; rev: number; type: string }>(
    `select c.code, e.rev, case e.kind when 1 then 'coupon.assigned' else 'coupon.redeemed' end as type
     from events e join coupons c using (tenant_id, deck_id, pos)`,
  );
  return rows.map(nameOf).sort();
}

/** Revisions of each coupon in the order in which they were taken; what was taken twice shows. */
function revisionsTaken(receiver: Receiver): Map<string, number[]> {
  const revs = new Map<string, number[]>();
  for (const { data } of taken(receiver)) revs.set(data.code, [...(revs.get(data.code) ?? []), data.rev]);
  return revs;
}

const title =
  'under load each event is told in order a coupon, and no other, whatever of receiver and process dies or hangs';

test(title, async () => {
  const { core, database } = testCore;
  dead.answer = () => null;
  failing.answer = makeTrouble();
  const codes = await forEachCoupon(
    async (index) => (await patiently(() => assignCoupon(core, admin, { bookId, userId: `u-${index}` }))).body.code,
  );
  await handOn(core);
  // Until the second process is there, the first one alone has endpoints, and much waits at them.
  const opening = Promise.withResolvers<void>();
  for (const receiver of [failing, calm]) receiver.opening = opening.promise;
  processes = [await startApiProcess(database.url, loopback)];
  await until(async () => [...(await readFences()).values()].every((fence) => fence > 0));
  const firsts = await readFences();
  processes.push(await startApiProcess(database.url, loopback));
  opening.resolve();
  // What happens from now on is read by processes while it is written.
  const redeeming = forEachCoupon((index) =>
    patiently(() => redeemCoupon(core, admin, codes[index]!, { userId: `u-${index}` }, null)),
  );
  await until(() => taken(failing).length > events / 6);
  await processes[0]!.stop('SIGKILL');
  await endLeases(firsts);
  processes[0] = await startApiProcess(database.url, loopback);
  await redeeming;
  await until(async () => {
    await passRests();
    await sleep(500);
    return [failing, calm].every((each) => new Set(taken(each).map(({ id }) => id)).size === events);
  });
  await Promise.all(processes.map((each) => each.stop('SIGTERM')));

  const happened = await namesOfEvents();
  expect(happened).toHaveLength(events);
  for (const receiver of [failing, calm]) {
    const told = new Map(receiver.received.map(({ id, type, data }) => [id, nameOf({ ...data, type })]));
    expect([...told.values()].sort()).toEqual(happened);
    const revs = [...revisionsTaken(receiver).values()];
    expect(revs.filter((of) => !/^(1,)+2(,2)*$/.test(of.join()))).toEqual([]);
  }
  // Beside the requests that were under way when their process was killed, nothing was sent twice to the one that takes
  // all.
  expect(calm.received.length).toBeLessThan(events + 100);
  expect(dead.received.length).toBeLessThan(50);
  expect(await findBrokenInvariants(database.url)).toEqual([]);
});
