import { useEffect, useRef, useState } from 'preact/hooks';
import { part } from '../address/address.ts';
import { call } from './call.ts';
import type { Book } from './types.ts';

/**
 * The books that rows are of, by their ids: each is read once while the page is shown, however many there are. What is
 * not read yet, or can't be, is left out.
 */
export function useBooks(ids: readonly (string | null)[]): ReadonlyMap<string, Book> {
  const [books, setBooks] = useState<ReadonlyMap<string, Book>>(new Map());
  const asked = useRef(new Set<string>());
  const wanted = [...new Set(ids)].filter((id): id is string => id !== null && !asked.current.has(id));
  useEffect(() => {
    for (const id of wanted) {
      asked.current.add(id);
      void call<Book>('GET', `/v1/books/${part(id)}`).then((answer) => {
        if (answer.ok) setBooks((before) => new Map(before).set(id, answer.body));
      });
    }
  }, [wanted.join()]);
  return books;
}
