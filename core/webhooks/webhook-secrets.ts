import type { Queryable } from '../db/pool.ts';
import type { Transaction } from '../db/transaction.ts';
import { type CodeSecret, type KeySource, refuseOutdatedSecret } from '../patterns/code-secret.ts';
import { makePatternKey, unwrapPatternKey, wrapPatternKey } from '../patterns/pattern-key.ts';

/**
 * Makes a signing secret of a webhook and stores it wrapped by CODE_SECRET.
 * @returns the key, 32 bytes, which is not shown again
 * @throws CouponError `unavailable` where the database knows a later CODE_SECRET
 */
export async function storeNewSecret(
  { config, random }: KeySource,
  tx: Transaction,
  tenantId: number,
  webhookKey: number,
): Promise<Buffer> {
  const { codeSecret, codeSecretVersion } = config;
  await refuseOutdatedSecret(tx, codeSecretVersion);
  const key = makePatternKey(random);
  await tx.query({
    name: 'store-webhook-secret',
    text: 'insert into webhook_secrets (tenant_id, webhook_id, key_version, wrapped_key) values ($1, $2, $3, $4)',
    values: [
      tenantId,
      webhookKey,
      codeSecretVersion,
      wrapPatternKey(codeSecret, codeSecretVersion, key, random, 'webhook'),
    ],
  });
  return key;
}

/**
 * The keys that sign what is sent to a webhook now, the newest first. Null where one of them is wrapped by another
 * CODE_SECRET than this process has, as while that is rotated: another process can serve it.
 */
export async function readSigningKeys(
  db: Queryable,
  secret: CodeSecret,
  tenantId: number,
  webhookKey: number,
): Promise<Buffer[] | null> {
  const { rows } = await db.query<{ keyVersion: number; wrappedKey: Buffer }>({
    name: 'read-signing-keys',
    text: `select key_version as "keyVersion", wrapped_key as "wrappedKey" from webhook_secrets
      where tenant_id = $1 and webhook_id = $2 and (signs_until is null or signs_until > clock_timestamp())
      order by secret_id desc`,
    values: [tenantId, webhookKey],
  });
  const keys = rows.map(({ keyVersion, wrappedKey }) => {
    if (keyVersion !== secret.codeSecretVersion) return null;
    const opened = unwrapPatternKey(secret.codeSecret, keyVersion, wrappedKey, 'webhook');
    return opened.ok ? opened.key : null;
  });
  return keys.every((key) => key !== null) && keys.length > 0 ? keys : null;
}
