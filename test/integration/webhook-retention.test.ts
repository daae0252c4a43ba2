import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { detachMonth } from '../../core/archive/change-partitions.ts';
import { dropMonth } from '../../core/archive/drop-month.ts';
import type { EventMonth } from '../../core/archive/event-months.ts';
import { exportMonth } from '../../core/archive/export-month.ts';
import { importMonth } from '../../core/archive/import-month.ts';
import type { Core } from '../../core/core.ts';
import { makeStride } from '../../core/events/stride.ts';
import { createWebhook, deleteWebhook, listDeliveries, readWebhook, replayWebhook } from '../../core/index.ts';
import { purgeDeliveries } from '../../core/webhooks/delivery/purge-deliveries.ts';
import { replayEvents } from '../../core/webhooks/delivery/replay-events.ts';
import { handOn } from '../support/deliver-webhooks.ts';
import { makeArchive, makePastEvents } from '../support/event-archive.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

let testCore: TestCore;
let core: Core;

beforeAll(async () => {
  testCore = await openTestCore('webhook_retention');
  core = testCore.core;
});
afterAll(() => testCore.close());
afterEach(() => core.pool.query('truncate webhooks, webhook_secrets, webhook_replays, webhook_deliveries'));

async function makeWebhook(): Promise<string> {
  const input = { url: 'https://shop.example/hook', events: ['coupon.assigned' as const, 'coupon.redeemed' as const] };
  return (await createWebhook(core, admin, input, null)).body.id;
}

/** Makes deliveries of an age, by the database's clock. */
async function makeDeliveries(webhookId: string, status: string, age: string, count = 1): Promise<void> {
  await core.pool.query(
    `insert into webhook_deliveries (tenant_id, webhook_id, type, subject, part, pos, rev, at, created_at, status, next_at)
     select 1, w.webhook_id, 1, 1, 1, n + (select count(*) from webhook_deliveries), 1, made, made, $2, case when $2 = 'pending' then clock_timestamp() end
     from webhooks w, generate_series(1, $4::int) as n, lateral (select clock_timestamp() - $3::interval as made) as aged
     where w.id = $1`,
    [webhookId, status, age, count],
  );
}

async function counts(): Promise<Record<string, number>> {
  const { rows } = await core.pool.query<{ what: string; count: number }>(
    `select status || coalesce(' ' || error, '') as what, count(*)::int as count from webhook_deliveries group by 1`,
  );
  return Object.fromEntries(rows.map(({ what, count }) => [what, count]));
}

/** How many deliveries there are after each piece of the purge, until there is nothing more to do. */
async function purge(): Promise<number[]> {
  const left: number[] = [];
  for (let found = 'more'; found === 'more'; ) {
    found = await purgeDeliveries(core);
    left.push(Object.values(await counts()).reduce((sum, count) => sum + count, 0));
  }
  return left;
}

describe('deliveries', () => {
  test('are kept and shown for thirty days, whatever became of them, and no longer', async () => {
    const webhookId = await makeWebhook();
    for (const status of ['delivered', 'failed']) {
      await makeDeliveries(webhookId, status, '30 days 1 minute', 2);
      await makeDeliveries(webhookId, status, '29 days 23 hours 59 minutes', 3);
    }
    // What is too old is shown to nobody, also before it is removed.
    expect((await listDeliveries(core, admin, webhookId, {})).data).toHaveLength(6);
    await purge();
    expect(await counts()).toEqual({ delivered: 3, failed: 3 });
    expect((await listDeliveries(core, admin, webhookId, {})).data).toHaveLength(6);
    await purge();
    expect(await counts()).toEqual({ delivered: 3, failed: 3 });
  });

  test('are removed some thousand at a time', async () => {
    const webhookId = await makeWebhook();
    await makeDeliveries(webhookId, 'delivered', '31 days', 12_000);
    await makeDeliveries(webhookId, 'delivered', '1 day', 10);
    const left = await purge();
    expect([left[0], left[1], left.at(-1)]).toEqual([7_010, 2_010, 10]);
    expect(left.length).toBeLessThanOrEqual(4);
  });

  test('that have waited for three days and some hours are given up, and stay as failed', async () => {
    const webhookId = await makeWebhook();
    await makeDeliveries(webhookId, 'pending', '79 hours 59 minutes');
    await makeDeliveries(webhookId, 'pending', '80 hours 1 minute', 2);
    await purge();
    expect(await counts()).toEqual({ pending: 1, 'failed too-old': 2 });
  });

  test('of a webhook that was deleted go in pieces, and it with them, and others stay', async () => {
    const [deleted, other] = [await makeWebhook(), await makeWebhook()];
    await makeDeliveries(deleted, 'delivered', '1 day', 6_000);
    await makeDeliveries(deleted, 'pending', '1 hour', 10);
    await makeDeliveries(other, 'delivered', '1 day', 5);
    await deleteWebhook(core, admin, deleted);
    expect(await purge()).toEqual([1_015, 5]);
    const webhooks = async () => (await core.pool.query<{ id: string }>('select id from webhooks')).rows;
    // A process that still serves it comes to its end before.
    expect(await webhooks()).toHaveLength(2);
    await core.pool.query(`update webhooks set deleted_at = deleted_at - interval '3 minutes'`);
    await purge();
    expect(await webhooks()).toEqual([{ id: other }]);
    expect(await counts()).toEqual({ delivered: 5 });
  });
});

describe('a month of events that leaves the database', () => {
  const archive = makeArchive();
  afterAll(() => archive.remove());

  /** Makes a month with twenty events, the tenant being older than it. */
  async function makeMonth(monthsAgo: number): Promise<EventMonth> {
    const month = await makePastEvents(core.pool, monthsAgo, 20);
    // Of other coupons than those of another month.
    await core.pool.query(`update ${month.table} set pos = pos + $1`, [100 * monthsAgo]);
    await core.pool.query(
      `update tenants set created_at = least(created_at, $1::timestamptz - interval '40 days') where tenant_id = 1`,
      [month.from],
    );
    return month;
  }

  async function drop(month: EventMonth): Promise<void> {
    const whole = { month, folder: month.month, until: month.to, resumes: true, rowsOfFile: 7 };
    await exportMonth(core.pool, archive.store, whole);
    await dropMonth(core.pool, archive.store, month);
  }

  const replay = (webhookId: string, from: string, to: string) =>
    replayWebhook(core, admin, webhookId, { from, to }, null);
  const later = (time: string, millis: number) => new Date(Date.parse(time) + millis).toISOString();
  const missedBy = async (webhookId: string) => (await readWebhook(core, admin, webhookId)).replayMissed;
  const refusedFor = ({ month }: EventMonth) => ({
    kind: 'conflict',
    refusal: { reason: 'events-removed' },
    message: expect.stringContaining(month),
  });
  const day = 86_400_000;

  test('is refused to a replay by name, and one that was brought back is told', async () => {
    const webhookId = await makeWebhook();
    const gone = await makeMonth(2);
    const refused = refusedFor(gone);
    await replay(webhookId, gone.from, later(gone.from, day));
    await core.pool.query('delete from webhook_replays');
    await drop(gone);
    await expect(replay(webhookId, gone.from, later(gone.from, day))).rejects.toMatchObject(refused);
    await expect(replay(webhookId, later(gone.from, day), gone.to)).rejects.toMatchObject(refused);
    // The last millisecond of it is refused as the rest.
    await expect(replay(webhookId, later(gone.to, -1), gone.to)).rejects.toMatchObject(refused);
    expect((await core.pool.query('select from webhook_replays')).rows).toHaveLength(0);
    await importMonth(core.pool, archive.store, gone);
    await replay(webhookId, gone.from, later(gone.from, day));
    await handOn(core);
    expect(await counts()).toEqual({ pending: 20 });
  });

  test('in the middle of a replay is missed by it, and the webhook says from when to when nothing was sent', async () => {
    const webhookId = await makeWebhook();
    const [gone, kept] = [await makeMonth(4), await makeMonth(3)];
    await replay(webhookId, gone.from, later(kept.from, day));
    // A stretch of a second, with the first event in it.
    expect(await replayEvents(core, makeStride())).toBe('more');
    expect([await counts(), await missedBy(webhookId)]).toEqual([{ pending: 1 }, null]);
    await drop(gone);
    await handOn(core);
    expect((await core.pool.query('select from webhook_replays')).rows).toHaveLength(0);
    expect(await counts()).toEqual({ pending: 21 });
    const missed = { from: later(gone.from, 1_000), to: gone.to };
    expect(await missedBy(webhookId)).toEqual(missed);

    // It is said until a replay of all of it is accepted, which takes that the month was brought back.
    await replay(webhookId, kept.from, later(kept.from, day));
    await expect(replay(webhookId, gone.from, gone.to)).rejects.toMatchObject(refusedFor(gone));
    await importMonth(core.pool, archive.store, gone);
    await replay(webhookId, gone.from, later(gone.to, -1));
    expect(await missedBy(webhookId)).toEqual(missed);
    await replay(webhookId, missed.from, missed.to);
    expect(await missedBy(webhookId)).toBeNull();
    await handOn(core);
    expect([await counts(), await missedBy(webhookId)]).toEqual([{ pending: 40 }, null]);
  });

  test('and whose table is there still, since the removal broke off, is refused to a replay too', async () => {
    const webhookId = await makeWebhook();
    const gone = await makeMonth(5);
    await detachMonth(core.pool, gone);
    await expect(replay(webhookId, gone.from, gone.to)).rejects.toMatchObject(refusedFor(gone));
  });

  test('stays until webhooks were handed all of its events', async () => {
    await makeWebhook();
    const month = await makeMonth(6);
    await core.pool.query('update webhook_events set read_until = $1', [later(month.from, 10_000)]);
    await expect(drop(month)).rejects.toThrow(`webhooks were not handed all events of ${month.month} yet`);
    await core.pool.query('update webhook_events set read_until = $1', [later(month.from, 20_000)]);
    await drop(month);
  });
});
