import { type Static, Type } from 'typebox';
import { actorNames } from '../access/actor-names.ts';
import { shownTerms } from '../books/book-document.ts';
import { auditedTerms, bookTerms, type StoredTerms, selectTerms } from '../books/book-terms.ts';
import { findBook } from '../books/find-book.ts';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { Actor, Rev, Time } from '../input/shapes.ts';
import { cutPage, type Page, type PageRequest, pageLimit } from '../paging.ts';

type AuditedTerm = (typeof auditedTerms)[number];

/** What a book allowed from a moment on, until its next revision. */
export const BookRevision = Type.Object({
  rev: Rev,
  at: Time,
  actor: Actor,
  ...shownTerms(pick(bookTerms, auditedTerms)),
});
export type BookRevision = Static<typeof BookRevision>;

interface Row extends Pick<StoredTerms, AuditedTerm> {
  rev: number;
  at: Date;
  actor: string;
}

/**
 * Lists what a book has been, newest first, from the replica where there is one: each change of it, by whom, and what
 * it allowed from then on.
 * @throws CouponError `invalid-input` naming `cursor`; `book-not-found`, for an id that is no UUID too
 */
export async function listBookRevisions(
  core: Pick<Core, 'readPool' | 'cursors' | 'knownBooks'>,
  caller: Caller,
  bookId: string,
  request: PageRequest,
): Promise<Page<BookRevision>> {
  const { tenantId } = caller;
  const limit = pageLimit(request);
  const list = { kind: 'book-revisions/1', tenantId, filters: { bookId: bookId.toLowerCase() } };
  const before = request.cursor == null ? null : Number(core.cursors.open(list, request.cursor)[0]);
  const bookKey = await findBook(core, tenantId, bookId);
  const { rows } = await core.readPool.query<Row>({
    name: 'list-book-revisions',
    text: `select r.rev, r.at, r.actor, ${selectTerms('r', auditedTerms)} from book_revisions r
      where r.tenant_id = $1 and r.book_id = $2 and ($3::int is null or r.rev < $3) order by r.rev desc limit $4`,
    values: [tenantId, bookKey, before, limit + 1],
  });
  const actors = rows.map(({ actor }) => actor);
  const names = await actorNames(core.readPool, tenantId, actors);
  const show = ({ at, actor, startsAt, endsAt, ...others }: Row): BookRevision => ({
    ...others,
    at: at.toISOString(),
    actor: names.get(actor) ?? actor,
    startsAt: startsAt?.toISOString() ?? null,
    endsAt: endsAt?.toISOString() ?? null,
  });
  return cutPage(rows, limit, show, (last) => core.cursors.seal(list, [last.rev]));
}

function pick<T extends object, Name extends keyof T>(all: T, names: readonly Name[]): Pick<T, Name> {
  return Object.fromEntries(names.map((name) => [name, all[name]])) as Pick<T, Name>;
}
