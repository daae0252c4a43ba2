import { useEffect, useRef, useState } from 'preact/hooks';
import { part } from '../address/address.ts';
import { call } from './call.ts';
import type { Book } from './types.ts';

/**
 * The names of the books that rows are of, by their ids: each is read once while the page is shown, however many books
 * there are. What is not read yet, or can't be, is left out.
 */
export function useBookNames(ids: readonly (string | null)[]): ReadonlyMap<string, string> {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const asked = useRef(new Set<string>());
  const wanted = [...new Set(ids)].filter((id): id is string => id !== null && !asked.current.has(id));
  useEffect(() => {
    for (const id of wanted) {
      asked.current.add(id);
      void call<Book>('GET', `/v1/books/${part(id)}`).then((answer) => {
        if (answer.ok) setNames((before) => new Map(before).set(id, answer.body.name));
      });
    }
  }, [wanted.join()]);
  return names;
}
