import type { ComponentChildren } from 'preact';
import type { LoadedList } from '../calls/use-load.ts';
import { placeOf } from '../language/formats.ts';
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
  /** The zone of the times in it, said above; left out where there are none. */
  zone?: string;
  /** Stays a grid on the narrowest screen: for columns of numbers, which are compared with those above and below. */
  staysGrid?: boolean;
  /** The row that the address names: shown, and told as the present one. */
  isPresent?: (row: T) => boolean;
}

/** What scrolls must be reachable by the keyboard. */
const byKeyboard = { tabIndex: 0 };

/** Some browsers forget that a table is one where it is laid out as a list. */
const roles = {
  table: { role: 'table' },
  rowgroup: { role: 'rowgroup' },
  row: { role: 'row' },
  columnheader: { role: 'columnheader' },
  rowheader: { role: 'rowheader' },
  cell: { role: 'cell' },
} as const;

const present = { 'aria-current': true, ref: showRow } as const;

function showRow(row: HTMLElement | null): void {
  row?.scrollIntoView({ block: 'nearest' });
}

/**
 * A table. It is scrolled sideways by itself where it is wider than its place, by the keyboard too. On the narrowest
 * screens each row is a list instead, whose cells have their column's title before them: nothing is out of sight.
 */
export function Table<T>({
  caption,
  isCaptionShown = false,
  columns,
  rows,
  keyOf,
  zone,
  staysGrid = false,
  isPresent = () => false,
}: TableProps<T>) {
  const words = messages().common;
  return (
    <>
      {zone !== undefined && <p class="table-note">{words.timesOf(placeOf(zone))}</p>}
      <section class="table-scroll" {...byKeyboard} aria-label={words.listOf(caption)}>
        <table class={staysGrid ? undefined : 'rows'} {...roles.table}>
          <caption class={isCaptionShown ? undefined : 'visually-hidden'}>{caption}</caption>
          <thead {...roles.rowgroup}>
            <tr {...roles.row}>
              {columns.map(({ title, isNumber }) => (
                <th key={title} scope="col" {...roles.columnheader} class={isNumber ? 'number' : undefined}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody {...roles.rowgroup}>
            {rows.map((row) => (
              <tr key={keyOf(row)} {...roles.row} {...(isPresent(row) ? present : {})}>
                {columns.map(({ title, cell, isNumber, isHead }) =>
                  isHead ? (
                    <th key={title} scope="row" {...roles.rowheader} data-title={title}>
                      <div>{cell(row)}</div>
                    </th>
                  ) : (
                    <td key={title} {...roles.cell} class={isNumber ? 'number' : undefined} data-title={title}>
                      <div>{cell(row)}</div>
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
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
      {items.length > 0 ? (
        <Table {...table} rows={items} />
      ) : hasMore ? (
        // A page of what was looked through, in which nothing fits.
        <p class="muted">{words.nothingSoFar}</p>
      ) : (
        empty
      )}
      <ProblemBox problem={problem} />
      {hasMore && (
        <p class="more">
          <Button onClick={() => void list.loadMore()} isBusy={isLoading}>
            {isLoading ? words.loading : items.length === 0 ? words.lookFurther : words.loadMore}
          </Button>
        </p>
      )}
    </>
  );
}
