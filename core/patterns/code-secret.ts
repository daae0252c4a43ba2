import type { Config } from '../config.ts';
import type { Queryable } from '../db/pool.ts';
import type { Transaction } from '../db/transaction.ts';
import { ConfigError } from '../environment.ts';
import { unavailable } from '../errors.ts';
import type { Random } from '../random.ts';
import { codeSecretCheckValue, isCodeSecret } from './pattern-key.ts';

/** CODE_SECRET, which wraps the keys in the database, and its version, which is stored beside each of them. */
export type CodeSecret = Pick<Config, 'codeSecret' | 'codeSecretVersion'>;

/** What a new key is made of and wrapped with. */
export interface KeySource {
  readonly config: CodeSecret;
  readonly random: Random;
}

/**
 * Refuses to start with a CODE_SECRET that can't open the pattern keys in the database. The first start under a version
 * stores the secret's check value; of several at once one stores it and the others are held against it.
 * @throws ConfigError where the secret is not the one of its version, where a later version is in use already, or where
 *   keys are still wrapped by an earlier one
 */
export async function checkCodeSecret(pool: Queryable, secret: CodeSecret): Promise<void> {
  const { codeSecret, codeSecretVersion: version } = secret;
  const stored = await readCheckValue(pool, version);
  if (stored.other !== null) {
    const todo = stored.other < version ? 'rewrap them for the new secret first' : 'set that one, and its version';
    throw new ConfigError(
      `CODE_SECRET_VERSION is ${version}, but pattern keys are wrapped by version ${stored.other}: ${todo}`,
    );
  }
  const checkValue = stored.checkValue ?? (await storeCheckValue(pool, version, codeSecret));
  if (!isCodeSecret(codeSecret, checkValue)) {
    throw new ConfigError(
      `CODE_SECRET is not the secret of version ${version} with which this database was set up; codes could not be read with it`,
    );
  }
}

/**
 * The check value of a version, and another version that some pattern's or webhook's key is wrapped by, the highest.
 */
async function readCheckValue(
  pool: Queryable,
  version: number,
): Promise<{ checkValue: Buffer | null; other: number | null }> {
  const answer = await pool.query<{ checkValue: Buffer | null; other: number | null }>({
    name: 'read-code-secret',
    text: `select (select check_value from code_secrets where key_version = $1) as "checkValue",
        (select max(key_version) from (
          select key_version from code_patterns union all select key_version from webhook_secrets) as keys
        where key_version <> $1) as other`,
    values: [version],
  });
  return answer.rows[0]!;
}

/** Sets this lock apart from every other advisory lock of two numbers: "SECR" in ASCII. */
const lockClass = 0x53454352;

/**
 * Keeps a task that still has the earlier secret from wrapping a new pattern's key by it after a rotation: no other
 * task could open it. To be called in the transaction that stores the key; a rotation waits until that has ended.
 * @throws CouponError `unavailable` where the database knows a later version
 */
export async function refuseOutdatedSecret(tx: Transaction, version: number): Promise<void> {
  await tx.query({ name: 'hold-code-secret', text: 'select pg_advisory_xact_lock_shared($1, 0)', values: [lockClass] });
  // A statement of its own, so that its snapshot is later than the wait.
  const answer = await tx.query<{ newest: number | null }>({
    name: 'newest-code-secret',
    text: 'select max(key_version) as newest from code_secrets',
    values: [],
  });
  if ((answer.rows[0]!.newest ?? version) > version) {
    const detail = 'CODE_SECRET has been rotated, and this task still has the one before.';
    throw unavailable('not-begun', detail, 5);
  }
}

/** Keeps every other transaction from wrapping a new key until this one, a rotation, ends. */
export async function holdAllSecrets(tx: Transaction): Promise<void> {
  await tx.query({ name: 'hold-all-secrets', text: 'select pg_advisory_xact_lock($1, 0)', values: [lockClass] });
}

/**
 * Stores a version's check value and returns it. Of several that store one at once the first does; all get that one.
 */
export async function storeCheckValue(db: Queryable, version: number, codeSecret: string): Promise<Buffer> {
  await db.query({
    name: 'store-code-secret',
    text: `insert into code_secrets (key_version, check_value, created_at) values ($1, $2, clock_timestamp())
      on conflict (key_version) do nothing`,
    values: [version, codeSecretCheckValue(codeSecret)],
  });
  return (await readCheckValue(db, version)).checkValue!;
}
