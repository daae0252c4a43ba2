import type { Transaction } from '../db/transaction.ts';

/** Sets these locks apart from every other advisory lock of two numbers: "CODE" in ASCII. */
const lockClass = 0x434f4445;

/**
 * Lets one transaction at a time bring codes into a tenant, until it ends: otherwise two transactions could each bring
 * in one of two overlapping patterns, or a pattern and a code that it could produce, and neither check would see the
 * other. It also makes a tenant's deck ids become visible in ascending order, on which KnownPatterns relies. Comes
 * before the book's gate in the order of locks.
 * @throws what the database throws, 55P03 after the connection's lock_timeout included
 */
export async function lockTenantCodes(tx: Transaction, tenantId: number): Promise<void> {
  await tx.query({
    name: 'lock-tenant-codes',
    text: 'select pg_advisory_xact_lock($2, tenant_id) from tenants where tenant_id = $1',
    values: [tenantId, lockClass],
  });
}
