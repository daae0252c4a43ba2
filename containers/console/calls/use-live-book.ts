import { useEffect, useMemo } from 'preact/hooks';
import type { Book, BookCounts } from './types.ts';
import { type Loaded, useLoad } from './use-load.ts';
import { usePoll } from './use-poll.ts';

/** How often it is looked whether somebody else has changed the book itself. */
const bookMillis = 10_000;

/** A book as it is now: every part of its page shows the same state and counts. */
export interface LiveBook extends Loaded<Book> {
  /** Since when the counts are what they are, as far as this page has seen them; null: not asked yet. */
  asOf: string | null;
}

/** Reads a book, then its counts each second, and the rest of it now and then. A form keeps what it began with. */
export function useLiveBook(bookId: string): LiveBook {
  const path = `/v1/books/${encodeURIComponent(bookId)}`;
  const book = useLoad<Book>(path);
  const { data } = book;
  const counts = usePoll<BookCounts>(data === null ? null : `${path}/counts`);
  const changed = usePoll<Book>(data === null ? null : path, bookMillis);
  useEffect(() => {
    if (changed !== null && data !== null && changed.rev > data.rev) book.replace(changed);
  }, [changed]);
  const live = useMemo(() => (data === null || counts === null ? data : { ...data, counts }), [data, counts]);
  return { ...book, data: live, asOf: counts?.asOf ?? null };
}
