import type { ComponentChildren } from 'preact';
import type { LoadedList } from '../calls/use-load.ts';
import { messages } from '../messages/messages.ts';
import { Button } from './button.tsx';
import { ProblemBox } from './problem-box.tsx';

/** A column of a table. */
export interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right, so that their digits stand under one another. */
  isNumber?: boolean;
  /** What the row is about: read out with each other cell. One column of a table. */
  isHead?: boolean;
}

/** What a table needs. */
export interface TableProps<T> {
  /** Read out, and shown where nothing else names the table. */
  caption: string;
  isCaptionShown?: boolean;
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
}

/** What scrolls must be reachable by the keyboard. */
const byKeyboard = { tabIndex: 0 };

/** A table that is scrolled sideways by itself where the screen is narrow, by the keyboard too. */
export function Table<T>({ caption, isCaptionShown = false, columns, rows, keyOf }: TableProps<T>) {
  return (
    <section class="table-scroll" {...byKeyboard} aria-label={messages().common.listOf(caption)}>
      <table>
        <caption class={isCaptionShown ? undefined : 'visually-hidden'}>{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" class={isNumber ? 'number' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, cell, isNumber, isHead }) =>
                isHead ? (
                  <th key={title} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={title} class={isNumber ? 'number' : undefined}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/**
 * A list of the API as a table: more of it is read when somebody asks for it. No total is shown, since counting rows is
 * what makes a page slow.
 */
export function ListTable<T>({
  list,
  empty,
  ...table
}: Omit<TableProps<T>, 'rows'> & {
  list: LoadedList<T>;
  /** Shown in the place of an empty table. */
  empty: ComponentChildren;
}) {
  const words = messages().common;
  const { items, problem, isLoading, hasMore } = list;
  if (items === null) {
    return problem === null ? (
      <p class="loading">{words.loading}</p>
    ) : (
      <ProblemBox problem={problem} retry={() => void list.reload()} />
    );
  }
  return (
    <>
      {items.length === 0 && !hasMore ? empty : <Table {...table} rows={items} />}
      <ProblemBox problem={problem} />
      {hasMore && (
        <p class="more">
          <Button onClick={() => void list.loadMore()} isBusy={isLoading}>
            {isLoading ? words.loading : words.loadMore}
          </Button>
        </p>
      )}
    </>
  );
}
