import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { dropMonth } from '../../core/archive/drop-month.ts';
import { exportMonth } from '../../core/archive/export-month.ts';
import { importMonth } from '../../core/archive/import-month.ts';
import type { Core } from '../../core/core.ts';
import { createWebhook, deleteWebhook, listDeliveries, replayWebhook } from '../../core/index.ts';
import { purgeDeliveries } from '../../core/webhooks/delivery/purge-deliveries.ts';
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

test('a replay of a month that has left the database is refused by name, and one that was brought back is told', async () => {
  const archive = makeArchive();
  const { pool } = core;
  const webhookId = await makeWebhook();
  const gone = await makePastEvents(pool, 2, 20);
  await pool.query(`update tenants set created_at = $1::timestamptz - interval '40 days'`, [gone.from]);
  const nextDay = new Date(Date.parse(gone.from) + 86_400_000).toISOString();
  const replay = (from: string, to: string) => replayWebhook(core, admin, webhookId, { from, to }, null);
  const refused = {
    kind: 'conflict',
    refusal: { reason: 'events-removed' },
    message: expect.stringContaining(gone.month),
  };
  try {
    await replay(gone.from, nextDay);
    await pool.query('delete from webhook_replays');
    await exportMonth(pool, archive.store, {
      month: gone,
      folder: gone.month,
      until: gone.to,
      resumes: true,
      rowsOfFile: 7,
    });
    await dropMonth(pool, archive.store, gone);
    await expect(replay(gone.from, nextDay)).rejects.toMatchObject(refused);
    await expect(replay(nextDay, gone.to)).rejects.toMatchObject(refused);
    // The last millisecond of it is refused as the rest.
    const last = new Date(Date.parse(gone.to) - 1).toISOString();
    await expect(replay(last, gone.to)).rejects.toMatchObject(refused);
    expect((await pool.query('select from webhook_replays')).rows).toHaveLength(0);
    await importMonth(pool, archive.store, gone);
    await replay(gone.from, nextDay);
    await handOn(core);
    const { rows } = await pool.query<{ count: number }>(
      'select count(*)::int as count from webhook_deliveries where is_replay',
    );
    expect(rows).toEqual([{ count: 20 }]);
  } finally {
    archive.remove();
  }
});
