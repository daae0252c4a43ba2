import { useState } from 'preact/hooks';
import { type Answer, call } from '../../calls/call.ts';
import { changeBook } from '../../calls/change-book.ts';
import type { Book } from '../../calls/types.ts';
import { type Change, describeChanges } from './describe-changes.ts';

/** A change of a book that is asked about in a dialog. */
export interface BookChange {
  /** The book as whoever asks has seen it. */
  base: Book;
  /** What somebody else changed since; null while nobody has. */
  conflict: Change[] | null;
  /** Changes it at the revision seen. Where that is behind, the present one is seen from then on. */
  send(changes: Record<string, unknown>): Promise<Answer<Book>>;
}

/** Changes a book only as it was seen: what somebody else changed meanwhile is told, and then the choice is made anew. */
export function useBookChange(book: Book): BookChange {
  const [base, setBase] = useState(book);
  const [conflict, setConflict] = useState<Change[] | null>(null);
  const send = async (changes: Record<string, unknown>) => {
    const answer = await changeBook(base, changes);
    if (answer.ok || answer.status !== 412) {
      setConflict(null);
      return answer;
    }
    const present = await call<Book>('GET', `/v1/books/${base.id}`);
    if (present.ok) {
      setConflict(describeChanges(base, present.body, Date.now()));
      setBase(present.body);
    }
    return answer;
  };
  return { base, conflict, send };
}
