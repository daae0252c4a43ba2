import type { Queryable } from '../db/pool.ts';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveStore } from './archive-store.ts';
import type { Manifest } from './manifest.ts';

/**
 * Checks that an export was made of this database: a tenant's number means another tenant elsewhere.
 * @throws ArchiveError where it is not
 */
export async function checkTenants(db: Queryable, store: ArchiveStore, { month, tenants }: Manifest): Promise<void> {
  const { rows } = await db.query<{ tenantId: number; id: string }>(
    'select tenant_id as "tenantId", id from tenants where tenant_id = any($1::int[])',
    [Object.keys(tenants)],
  );
  const known = new Map(rows.map(({ tenantId, id }) => [String(tenantId), id]));
  if (Object.entries(tenants).some(([number, id]) => known.get(number) !== id))
    throw new ArchiveError(
      `the events of ${month} in ${store.name} are of another database, whose tenants this one does not have: is DATABASE_URL right?`,
    );
}
