import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { renewLockTokens } from '../../core/coupons/engine/lock-tokens.ts';
import {
  assignCoupon,
  changeBook,
  closeCore,
  createBook,
  generateCodes,
  listCouponEvents,
  lockCoupon,
  openCore,
  readCoupon,
  redeemCoupon,
  silentLog,
  unlockCoupon,
} from '../../core/index.ts';
import { rewrapPatternKeys } from '../../core/patterns/rewrap-pattern-keys.ts';
import { systemRandom } from '../../core/random.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { keyed } from '../support/keyed.ts';
import { admin, customer, openTestCore, type TestCore, testConfig } from '../support/open-test-core.ts';

let testCore: TestCore;
let bookId: string;

beforeAll(async () => {
  testCore = await openTestCore('lock tokens');
  const { core } = testCore;
  bookId = (await createBook(core, admin, { name: 'Locks', status: 'active', maxRedemptionsPerCode: null }, null)).body
    .id;
  await generateCodes(core, admin, bookId, { count: 1000, pattern: 'LOCK-########' }, null);
});
afterAll(async () => {
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  await testCore.close();
});

async function heldCode(): Promise<string> {
  return (await assignCoupon(testCore.core, admin, { bookId, userId: 'ana' })).body.code;
}

/** Writes the lock as versions before 0.2 did: its end in whole milliseconds. */
async function makeLockOld(code: string): Promise<void> {
  await testCore.core.pool.query(
    `with c as (
        update coupons set lock_expires_at = date_trunc('milliseconds', lock_expires_at) where code = $1 returning *)
      update events e set lock_expires_at = c.lock_expires_at from c
      where (e.tenant_id, e.deck_id, e.pos, e.rev) = (c.tenant_id, c.deck_id, c.pos, c.rev)`,
    [code],
  );
}

describe('a lock', () => {
  test('of the shop can’t be let go by its customer, who knows every token before', async () => {
    const { core } = testCore;
    const code = await heldCode();
    const ana = customer('ana');
    const own = (await lockCoupon(core, ana, code, { userId: 'ana' })).body.lockToken;
    await unlockCoupon(core, ana, code, { userId: 'ana', lockToken: own });
    const { lockToken: ofShop } = (await lockCoupon(core, admin, code, { userId: 'ana' })).body;
    const digits = own.slice(1);
    for (const lockToken of ['2', own, `2${digits}`, `${BigInt(own) + 10n ** 10n}`]) {
      await expect(unlockCoupon(core, ana, code, { userId: 'ana', lockToken })).rejects.toMatchObject({
        kind: 'code-locked',
      });
      await expect(redeemCoupon(core, ana, code, { userId: 'ana', lockToken })).rejects.toMatchObject({
        kind: 'code-locked',
      });
    }
    const events = await listCouponEvents(core, admin, code);
    expect(JSON.stringify(events)).not.toContain(ofShop);
    expect((await redeemCoupon(core, admin, code, { userId: 'ana', lockToken: ofShop })).body.redemptions).toBe(1);
  });

  test('that an earlier version gave opens by its plain token until it ends, and renewed keeps it', async () => {
    const { core } = testCore;
    const code = await heldCode();
    const old = keyed(`old ${code}`, `coupons/${code}/lock`, { userId: 'ana' });
    await lockCoupon(core, admin, code, { userId: 'ana' }, old);
    await makeLockOld(code);
    // The first answer again is the one that the earlier version gave.
    const replayed = await lockCoupon(core, admin, code, { userId: 'ana' }, old);
    expect(replayed).toMatchObject({ replayed: true, body: { lockToken: '1' } });
    const renewed = await lockCoupon(core, admin, code, { userId: 'ana', lockToken: '1' });
    expect(renewed.body.lockToken).toBe('1');
    await redeemCoupon(core, admin, code, { userId: 'ana', lockToken: '1' });
    // The next lock is this version's: its number alone is no token.
    const { lockToken } = (await lockCoupon(core, admin, code, { userId: 'ana' })).body;
    await expect(unlockCoupon(core, admin, code, { userId: 'ana', lockToken: '2' })).rejects.toMatchObject({
      kind: 'code-locked',
    });
    await unlockCoupon(core, admin, code, { userId: 'ana', lockToken });
  });

  test('is never shown to last longer than its book', async () => {
    const { core } = testCore;
    const endsAt = new Date(core.clock.now() + 600_000).toISOString();
    const book = (await createBook(core, admin, { name: 'Ends', status: 'active', endsAt }, null)).body;
    await generateCodes(core, admin, book.id, { count: 10, pattern: 'ENDS-########' }, null);
    const { code } = (await assignCoupon(core, admin, { bookId: book.id, userId: 'ana' })).body;
    const locked = (await lockCoupon(core, admin, code, { userId: 'ana', ttlSeconds: 86_400 })).body;
    expect([locked.lockedUntil, locked.expiresAt]).toEqual([endsAt, endsAt]);
    // The end is moved forward while the lock is live.
    const earlier = new Date(core.clock.now() + 60_000).toISOString();
    await changeBook(core, admin, book.id, { endsAt: earlier }, null);
    const { lockedUntil, expiresAt } = await readCoupon(core, admin, code);
    expect([lockedUntil, expiresAt]).toEqual([earlier, earlier]);
  });

  test('has another token after the database went back in time, though its grant has the same number', async () => {
    const { core } = testCore;
    const code = await heldCode();
    const { lockToken } = (await lockCoupon(core, admin, code, { userId: 'ana' })).body;
    await renewLockTokens(core.pool, systemRandom);
    const started = await openCore(testConfig(testCore.database.url), { log: silentLog });
    try {
      await expect(unlockCoupon(started, admin, code, { userId: 'ana', lockToken })).rejects.toMatchObject({
        kind: 'code-locked',
      });
      const other = await heldCode();
      const next = (await lockCoupon(started, admin, other, { userId: 'ana' })).body.lockToken;
      await unlockCoupon(started, admin, other, { userId: 'ana', lockToken: next });
    } finally {
      await closeCore(started);
    }
    await core.pool.query('delete from code_secrets where key_version = 0');
  });

  // Last: after a rotation the first task makes no new patterns.
  test('has the same token in every task, and lives through a rotation of CODE_SECRET', async () => {
    const { core } = testCore;
    const code = await heldCode();
    const { lockToken } = (await lockCoupon(core, admin, code, { userId: 'ana' })).body;
    const next = {
      codeSecret: 'another secret of at least 32 characters',
      codeSecretVersion: core.config.codeSecretVersion + 1,
    };
    await rewrapPatternKeys(core.pool, systemRandom, core.config, next);
    const config = { ...testConfig(testCore.database.url), ...next };
    const other = await openCore(config, { log: silentLog });
    try {
      const renewed = await lockCoupon(other, admin, code, { userId: 'ana', lockToken });
      expect(renewed.body.lockToken).toBe(lockToken);
      await unlockCoupon(core, admin, code, { userId: 'ana', lockToken });
    } finally {
      await closeCore(other);
    }
  });
});
