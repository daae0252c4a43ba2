import { fromLocalInput } from '../language/formats.ts';
import { type Answer, call } from './call.ts';
import type { Book } from './types.ts';

/**
 * Changes a book at the revision that the page shows, and at no other. Where an answer was lost, the change is sent
 * again, and finds the book changed by itself: that is a success, and no conflict with anybody.
 */
export async function changeBook(book: Book, changes: Record<string, unknown>): Promise<Answer<Book>> {
  const path = `/v1/books/${book.id}`;
  const answer = await call<Book>('PATCH', path, { body: changes, ifMatch: `"${book.rev}"` });
  if (answer.ok || answer.status !== 412) return answer;
  const present = await call<Book>('GET', path);
  if (!present.ok || present.body.rev !== book.rev + 1) return answer;
  return holds(present.body, changes) ? present : answer;
}

/** A form says a time as the clocks of the book's zone show it, and a book as an instant. */
function holds(book: Book, changes: Record<string, unknown>): boolean {
  const present = book as Record<string, unknown>;
  return Object.entries(changes).every(([term, value]) => {
    const isTime = /At$/.test(term) && typeof value === 'string';
    return present[term] === (isTime ? fromLocalInput(value, book.timeZone) : value);
  });
}
