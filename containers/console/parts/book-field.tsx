import { useEffect, useState } from 'preact/hooks';
import { part } from '../address/address.ts';
import type { Book, Page as ListPage } from '../calls/types.ts';
import { useLoad } from '../calls/use-load.ts';
import { messages } from '../messages/messages.ts';
import { SelectField, TextField } from './field.tsx';
import type { Wrong } from './field-error.tsx';

/** Beyond as many books, the one that is wanted is found by a part of its name. */
const shownMaxBooks = 200;

/** A choice of a book. Where there are more than a list is good for, a field above narrows it down. */
export function BookField({
  label,
  value,
  onValue,
  none,
  status,
  error = null,
  warningOf,
}: {
  label: string;
  /** The id of a book, which need not be among those listed; empty: none. */
  value: string;
  onValue: (bookId: string) => void;
  /** What no book means here. */
  none: string;
  /** Only books of this status are offered; left out: all. */
  status?: Book['status'];
  error?: Wrong | null;
  /** What is likely a mistake about the book that is chosen; null: nothing. */
  warningOf?: ((book: Book) => string | null) | undefined;
}) {
  const text = messages();
  const [typed, setTyped] = useState('');
  const [name, setName] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setName(typed.trim()), 300);
    return () => clearTimeout(timer);
  }, [typed]);
  const list = useLoad<ListPage<Book>>(
    `/v1/books?limit=${shownMaxBooks}${status === undefined ? '' : `&status=${status}`}${name === '' ? '' : `&q=${encodeURIComponent(name)}`}`,
  );
  const listed = list.data?.data ?? [];
  const isListed = value === '' || list.data === null || listed.some(({ id }) => id === value);
  const chosen = useLoad<Book>(isListed ? null : `/v1/books/${part(value)}`);
  const book = listed.find(({ id }) => id === value) ?? (isListed ? null : chosen.data);
  const isMany = (list.data?.nextCursor ?? null) !== null || typed !== '';
  return (
    <div class="stack">
      {isMany && (
        <TextField
          label={text.overview.findLabel}
          type="search"
          placeholder={text.overview.findHint}
          maxLength={200}
          value={typed}
          onValue={setTyped}
        />
      )}
      <SelectField
        label={label}
        value={value}
        onValue={onValue}
        error={error}
        warning={book === null ? null : (warningOf?.(book) ?? null)}
        isNames
        options={[
          ['', none],
          ...listed.map(({ id, name: called }) => [id, called] as const),
          // One that the address names, or that was chosen before the list was narrowed down.
          ...(value === '' || listed.some(({ id }) => id === value)
            ? []
            : [[value, book?.name ?? text.jobs.theBook] as const]),
        ]}
      />
    </div>
  );
}
