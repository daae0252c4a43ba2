import type pg from 'pg';
import { inTransaction, type Transaction } from '../db/transaction.ts';
import { ConfigError } from '../environment.ts';
import type { Random } from '../random.ts';
import { type CodeSecret, holdAllSecrets, storeCheckValue } from './code-secret.ts';
import { isCodeSecret, type KeyPurpose, unwrapPatternKey, wrapPatternKey } from './pattern-key.ts';

interface WrappedKey {
  tenant_id: number;
  id: number;
  wrapped_key: Buffer;
}

/**
 * Rotates CODE_SECRET: wraps every pattern's key and webhook's secret, which themselves stay, by the new secret. All of
 * them or none, in one transaction; keys that are under the new version already are left alone, so a repeat is
 * harmless. Tasks that still have the old secret go on with the patterns they know and answer `unavailable` for others,
 * until they are replaced.
 * @param to a secret of a later version than `from`
 * @returns how many keys were wrapped anew
 * @throws ConfigError where the versions do not ascend, a key does not open with the old secret, or another secret is
 *   known under the new version
 */
export async function rewrapPatternKeys(
  pool: pg.Pool,
  random: Random,
  from: CodeSecret,
  to: CodeSecret,
): Promise<number> {
  if (to.codeSecretVersion <= from.codeSecretVersion) {
    throw new ConfigError(`CODE_SECRET_VERSION must be higher than ${from.codeSecretVersion} for a new secret`);
  }
  return inTransaction(pool, async (tx) => {
    await holdAllSecrets(tx);
    const checkValue = await storeCheckValue(tx, to.codeSecretVersion, to.codeSecret);
    if (!isCodeSecret(to.codeSecret, checkValue)) {
      throw new ConfigError(`CODE_SECRET: version ${to.codeSecretVersion} is known already, with another secret`);
    }
    const patterns = await rewrapTable(tx, random, from, to, patternKeys);
    return patterns + (await rewrapTable(tx, random, from, to, webhookKeys));
  });
}

/** A table of wrapped keys: how its rows are named, and what the keys are for. */
interface KeyTable {
  table: string;
  id: string;
  purpose: KeyPurpose;
}

const patternKeys: KeyTable = { table: 'code_patterns', id: 'pattern_id', purpose: 'pattern' };
const webhookKeys: KeyTable = { table: 'webhook_secrets', id: 'secret_id', purpose: 'webhook' };

async function rewrapTable(
  tx: Transaction,
  random: Random,
  from: CodeSecret,
  to: CodeSecret,
  { table, id, purpose }: KeyTable,
): Promise<number> {
  const { rows } = await tx.query<WrappedKey>({
    name: `${purpose}-keys-to-rewrap`,
    text: `select tenant_id, ${id} as id, wrapped_key from ${table} where key_version = $1 for no key update`,
    values: [from.codeSecretVersion],
  });
  const rewrapped = rows.map((row) => {
    const opened = unwrapPatternKey(from.codeSecret, from.codeSecretVersion, row.wrapped_key, purpose);
    if (!opened.ok) throw new ConfigError(`CODE_SECRET: ${opened.message}`);
    return wrapPatternKey(to.codeSecret, to.codeSecretVersion, opened.key, random, purpose);
  });
  await tx.query({
    name: `rewrap-${purpose}-keys`,
    text: `update ${table} p set key_version = $1, wrapped_key = n.wrapped_key
      from unnest($2::int[], $3::bigint[], $4::bytea[]) as n (tenant_id, id, wrapped_key)
      where p.tenant_id = n.tenant_id and p.${id} = n.id`,
    values: [to.codeSecretVersion, rows.map((row) => row.tenant_id), rows.map((row) => row.id), rewrapped],
  });
  return rows.length;
}
