import { useState } from 'preact/hooks';
import { address, changeQuery, linkTo, part } from '../address/address.ts';
import { fieldError } from '../calls/problem.ts';
import type { Book, Page as ListPage, Redemption } from '../calls/types.ts';
import { useList, useLoad } from '../calls/use-load.ts';
import { formatNumber, fromLocalInput, viewerZone } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Badge } from '../parts/badge.tsx';
import { BookField } from '../parts/book-field.tsx';
import { Button } from '../parts/button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { ExportButton } from '../parts/export-button.tsx';
import { TextField } from '../parts/field.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { Page } from '../parts/page.tsx';
import { ShortMoment } from '../parts/time.tsx';

const filters = ['bookId', 'userId', 'code', 'reference', 'from', 'to'] as const;
type Filters = Record<(typeof filters)[number], string>;

const readFilters = (): Filters =>
  Object.fromEntries(filters.map((name) => [name, address.value.query.get(name) ?? ''])) as Filters;

/** Every redemption, by filters that are part of the address, and as a file for finance. */
export function RedemptionsPage() {
  const text = messages();
  const given = readFilters();
  const [typed, setTyped] = useState(given);
  const names = useLoad<ListPage<Book>>('/v1/books?limit=200');
  const nameOf = (bookId: string) => names.data?.data.find(({ id }) => id === bookId)?.name ?? text.jobs.theBook;
  const book = useLoad<Book>(given.bookId === '' ? null : `/v1/books/${part(given.bookId)}`);
  const zone = book.data?.timeZone ?? viewerZone();
  const query = queryOf(given);
  const list = useList<Redemption>(`/v1/redemptions?limit=50${query === '' ? '' : `&${query}`}`);
  const set = (name: keyof Filters) => (value: string) => setTyped((before) => ({ ...before, [name]: value }));
  const field = (name: keyof Filters) => ({
    value: typed[name],
    onValue: set(name),
    error: fieldError(list.problem, name),
    autocomplete: 'off',
  });
  const nothing = Object.fromEntries(filters.map((name) => [name, ''])) as Filters;
  return (
    <Page title={text.redemptions.title} intro={<p>{text.redemptions.intro}</p>}>
      <form
        class="panel stack"
        aria-label={text.redemptions.filters}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          changeQuery(typed);
        }}
      >
        <div class="fields">
          <BookField
            label={text.redemptions.book}
            value={typed.bookId}
            onValue={set('bookId')}
            none={text.redemptions.anyBook}
          />
          <TextField label={text.redemptions.user} {...field('userId')} />
          <TextField label={text.redemptions.code} {...field('code')} />
          <TextField label={text.redemptions.reference} {...field('reference')} />
          <TextField label={text.redemptions.from} type="date" {...field('from')} />
          <TextField label={text.redemptions.to} type="date" {...field('to')} />
        </div>
        <div class="actions">
          <Button kind="primary" type="submit" isBusy={list.isLoading}>
            {text.redemptions.apply}
          </Button>
          <Button
            onClick={() => {
              setTyped(nothing);
              changeQuery(nothing);
            }}
          >
            {text.redemptions.clear}
          </Button>
        </div>
      </form>
      {list.items !== null && (list.items.length > 0 || list.hasMore) && (
        <div class="list-actions">
          <ExportButton
            label={text.redemptions.export}
            path={`/v1/redemptions?bom=true${query === '' ? '' : `&${query}`}`}
            fileName="redemptions.csv"
            job={{ kind: 'export-redemptions', ...Object.fromEntries(new URLSearchParams(query)) }}
            isLong={list.hasMore}
          />
        </div>
      )}
      <ListTable
        caption={text.redemptions.title}
        list={list}
        keyOf={({ id }) => id}
        zone={zone}
        empty={
          <EmptyState title={text.redemptions.empty}>
            <p>{text.redemptions.emptyHint}</p>
          </EmptyState>
        }
        columns={[
          {
            title: text.redemptions.code,
            isHead: true,
            cell: ({ code }) => <a href={linkTo(`/codes/${part(code)}`)}>{code}</a>,
          },
          ...(given.bookId === ''
            ? [
                {
                  title: text.redemptions.book,
                  cell: ({ bookId }: Redemption) => (
                    <a href={linkTo(`/books/${part(bookId)}`)} dir="auto">
                      {nameOf(bookId)}
                    </a>
                  ),
                },
              ]
            : []),
          {
            title: text.redemptions.user,
            cell: ({ userId }) =>
              userId === null ? (
                <span class="muted">{text.code.erasedUser}</span>
              ) : (
                <a href={linkTo(`/users/${part(userId)}`)} dir="auto">
                  {userId}
                </a>
              ),
          },
          { title: text.redemptions.at, cell: ({ at }) => <ShortMoment at={at} zone={zone} /> },
          { title: text.redemptions.no, isNumber: true, cell: ({ seq }) => formatNumber(seq) },
          { title: text.redemptions.reference, cell: ({ reference }) => <span dir="auto">{reference}</span> },
          {
            title: text.redemptions.givenBack,
            cell: ({ reversedAt }) =>
              reversedAt !== null && (
                <Badge tone="warning">
                  <ShortMoment at={reversedAt} zone={zone} />
                </Badge>
              ),
          },
        ]}
      />
    </Page>
  );
}

/**
 * The filters as the API takes them. A day is one of the book's zone where a book is named, which the API knows; else
 * it is one of the viewer's, as the times in the list are.
 */
function queryOf(given: Filters): string {
  const zone = viewerZone();
  const startOf = (day: string) => fromLocalInput(`${day}T00:00`, zone) ?? day;
  const days =
    given.bookId !== ''
      ? {}
      : {
          ...(given.from === '' ? {} : { from: startOf(given.from) }),
          ...(given.to === '' ? {} : { to: startOf(dayAfter(given.to)) }),
        };
  const filled = Object.entries({ ...given, ...days }).filter(([, value]) => value !== '');
  return new URLSearchParams(filled.map(([name, value]): [string, string] => [name, value.trim()])).toString();
}

/** What is no day stays what it is, and the API says so. */
function dayAfter(day: string): string {
  const at = new Date(`${day}T00:00Z`);
  if (Number.isNaN(at.getTime())) return day;
  at.setUTCDate(at.getUTCDate() + 1);
  return at.toISOString().slice(0, 10);
}
