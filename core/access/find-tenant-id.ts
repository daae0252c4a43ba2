import type pg from 'pg';
import type { Core } from '../core.ts';
import { limits } from '../limits.ts';
import { isSlug } from './tenant-document.ts';

/** A tenant's slug never changes. One memory a pool, and so one a process, which goes when the pool goes. */
const memories = new WeakMap<pg.Pool, Map<string, number>>();

/**
 * The internal id of the tenant with this slug, or null where there is none. What was found is remembered, bounded to
 * limits.cacheMaxEntries; what was not found is asked again, and a text that is no slug is not asked at all. Throws
 * what the database throws.
 */
export async function findTenantId(core: Pick<Core, 'pool'>, slug: string): Promise<number | null> {
  const memory = memories.get(core.pool) ?? new Map<string, number>();
  memories.set(core.pool, memory);
  const known = memory.get(slug);
  if (known !== undefined) return known;
  if (!isSlug(slug)) return null;
  const answer = await core.pool.query<{ tenantId: number }>({
    name: 'find-tenant-id',
    text: 'select tenant_id as "tenantId" from tenants where slug = $1',
    values: [slug],
  });
  const tenantId = answer.rows[0]?.tenantId ?? null;
  if (tenantId === null) return null;
  memory.set(slug, tenantId);
  // A Map keeps the order of insertion, so its first entry is the oldest.
  if (memory.size > limits.cacheMaxEntries) memory.delete(memory.keys().next().value!);
  return tenantId;
}
