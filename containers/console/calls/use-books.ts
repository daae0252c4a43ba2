import { useEffect, useRef, useState } from 'preact/hooks';
import { part } from '../address/address.ts';
import { call } from './call.ts';
import type { Book } from './types.ts';

/**
 * The books that rows are of, by their ids: each is read once while the page is shown, however many there are. One that
 * is not read yet is left out, and one that can't be is null.
 */
export function useBooks(ids: readonly (string | null)[]): ReadonlyMap<string, Book | null> {
  const [books, setBooks] = useState<ReadonlyMap<string, Book | null>>(new Map());
  const asked = useRef(new Set<string>());
  const wanted = [...new Set(ids)].filter((id): id is string => id !== null && !asked.current.has(id));
  useEffect(() => {
    for (const id of wanted) {
      asked.current.add(id);
      void call<Book>('GET', `/v1/books/${part(id)}`).then((answer) => {
        setBooks((before) => new Map(before).set(id, answer.ok ? answer.body : null));
      });
    }
  }, [wanted.join()]);
  return books;
}
