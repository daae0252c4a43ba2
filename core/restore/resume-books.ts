import { type ChangeBookCore, changeBook } from '../book-life/change-book.ts';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';

/** By whom revisions and events were made that a restore brought about. */
export const restoreActor = 'after-restore';

/** The caller for a change that a restore brings about. */
export function restorer(tenantId: number): Caller {
  return { tenantId, role: 'root', actor: restoreActor, customerId: null };
}

/** The UUIDs of books that `after-restore` paused and that nobody has changed since. */
export async function booksOfRestore({ pool }: Pick<Core, 'pool'>): Promise<{ tenantId: number; id: string }[]> {
  const { rows } = await pool.query<{ tenantId: number; id: string }>(
    `select b.tenant_id as "tenantId", b.id
      from books b join book_revisions r using (tenant_id, book_id, rev)
      where b.status = 'paused' and r.actor = $1 order by b.tenant_id, b.book_id`,
    [restoreActor],
  );
  return rows;
}

/** Sets those books active again, each in a transaction of its own, and returns their UUIDs. A repeat does nothing. */
export async function resumeBooks(core: ChangeBookCore & Pick<Core, 'pool'>): Promise<string[]> {
  const books = await booksOfRestore(core);
  for (const { tenantId, id } of books) await changeBook(core, restorer(tenantId), id, { status: 'active' }, null);
  return books.map(({ id }) => id);
}
