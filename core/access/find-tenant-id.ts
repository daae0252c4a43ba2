import type { Core } from '../core.ts';
import { isSlug } from './tenant-document.ts';

/** What a tenant is found with. */
export type TenantCore = Pick<Core, 'pool' | 'knownTenants'>;

/**
 * The internal id of the tenant with this slug, or null where there is none. What was found is remembered, since a
 * tenant's slug never changes; what was not found is asked again, and a text that is no slug is not asked at all.
 * Throws what the database throws.
 */
export async function findTenantId(core: TenantCore, slug: string): Promise<number | null> {
  const known = core.knownTenants.get(slug);
  if (known !== undefined) return known;
  if (!isSlug(slug)) return null;
  const answer = await core.pool.query<{ tenantId: number }>({
    name: 'find-tenant-id',
    text: 'select tenant_id as "tenantId" from tenants where slug = $1',
    values: [slug],
  });
  const tenantId = answer.rows[0]?.tenantId ?? null;
  if (tenantId !== null) core.knownTenants.set(slug, tenantId);
  return tenantId;
}
