import { useId, useState } from 'preact/hooks';
import { address, changeQuery, linkTo, part } from '../address/address.ts';
import { fieldError, type Problem } from '../calls/problem.ts';
import type { Redemption } from '../calls/types.ts';
import { useBooks } from '../calls/use-books.ts';
import { type LoadedList, useList } from '../calls/use-load.ts';
import { formatNumber, fromLocalInput, placeOf, viewerZone } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Badge } from '../parts/badge.tsx';
import { BookField } from '../parts/book-field.tsx';
import { BookLink } from '../parts/book-link.tsx';
import { Button } from '../parts/button.tsx';
import { DayField } from '../parts/day-field.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { ExportButton } from '../parts/export-button.tsx';
import { TextField } from '../parts/field.tsx';
import { type Column, ListTable } from '../parts/list-table.tsx';
import { Page } from '../parts/page.tsx';
import { RowMoment } from '../parts/time.tsx';

const filters = ['bookId', 'userId', 'code', 'reference', 'from', 'to'] as const;
type Filters = Record<(typeof filters)[number], string>;

const noFilters = Object.fromEntries(filters.map((name) => [name, ''])) as Filters;

const readFilters = (): Filters =>
  Object.fromEntries(filters.map((name) => [name, address.value.query.get(name) ?? ''])) as Filters;

/** Every redemption, by filters that are part of the address, and as a file for finance. */
export function RedemptionsPage() {
  const { redemptions: text, exports } = messages();
  const given = readFilters();
  const query = queryOf(given);
  const list = useList<Redemption>(`/v1/redemptions?limit=50${query === '' ? '' : `&${query}`}`);
  return (
    <Page title={text.title} intro={<p>{text.intro}</p>}>
      <FilterForm given={given} problem={list.problem} isLoading={list.isLoading} />
      {list.items !== null && (list.items.length > 0 || list.hasMore) && (
        <div class="list-actions">
          <ExportButton
            label={text.export}
            path={`/v1/redemptions?bom=true&local=true${query === '' ? '' : `&${query}`}`}
            fileName="redemptions.csv"
            job={{ kind: 'export-redemptions', ...Object.fromEntries(new URLSearchParams(query)) }}
            isLong={list.hasMore}
          />
          <p class="muted">{exports.utc}</p>
        </div>
      )}
      <RedemptionTable list={list} bookId={given.bookId} isFiltered={query !== ''} />
    </Page>
  );
}

/**
 * The filters as they are typed. They are in the address once they are applied. On a narrow screen, which they would
 * fill, they are behind a button.
 */
function FilterForm({ given, problem, isLoading }: { given: Filters; problem: Problem | null; isLoading: boolean }) {
  const text = messages().redemptions;
  const [typed, setTyped] = useState(given);
  const [isOpen, setOpen] = useState(() => filters.some((name) => given[name] !== ''));
  const id = useId();
  const books = useBooks([typed.bookId === '' ? null : typed.bookId]);
  // Whose days they are: see queryOf.
  const zone = typed.bookId === '' ? viewerZone() : books.get(typed.bookId)?.timeZone;
  const days = zone === undefined ? undefined : messages().common.daysOf(placeOf(zone));
  const set = (name: keyof Filters) => (value: string) => setTyped((before) => ({ ...before, [name]: value }));
  const field = (name: keyof Filters) => ({
    value: typed[name],
    onValue: set(name),
    error: fieldError(problem, name),
    autocomplete: 'off',
  });
  return (
    <form
      class={isOpen ? 'panel stack filter-form filter-form-open' : 'panel stack filter-form'}
      aria-label={text.filters}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        changeQuery(typed);
      }}
    >
      <Button aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}>
        {text.filters}
      </Button>
      <div class="fields" id={id}>
        <BookField label={text.book} value={typed.bookId} onValue={set('bookId')} none={text.anyBook} />
        <TextField label={text.user} {...field('userId')} />
        <TextField label={text.code} {...field('code')} />
        <TextField label={text.reference} {...field('reference')} />
        <DayField label={text.from} help={days} {...field('from')} />
        <DayField label={text.to} help={days} {...field('to')} />
      </div>
      <div class="actions">
        <Button kind="primary" type="submit" isBusy={isLoading}>
          {text.apply}
        </Button>
        <Button
          onClick={() => {
            setTyped(noFilters);
            changeQuery(noFilters);
          }}
        >
          {text.clear}
        </Button>
      </div>
    </form>
  );
}

/** @param bookId of the book whose redemptions they are; empty: of any, each of which is then named */
function RedemptionTable({
  list,
  bookId,
  isFiltered,
}: {
  list: LoadedList<Redemption>;
  bookId: string;
  isFiltered: boolean;
}) {
  const { redemptions: text } = messages();
  const books = useBooks((list.items ?? []).map((redemption) => redemption.bookId));
  const zoneOf = (redemption: Redemption) => books.get(redemption.bookId)?.timeZone;
  const bookColumn: Column<Redemption> = {
    title: text.book,
    cell: (redemption) => <BookLink id={redemption.bookId} name={books.get(redemption.bookId)?.name} />,
  };
  return (
    <ListTable
      caption={text.title}
      list={list}
      keyOf={({ id }) => id}
      empty={
        <EmptyState title={text.empty}>
          <p>{isFiltered ? text.emptyHint : text.emptyAtAll}</p>
        </EmptyState>
      }
      columns={[
        {
          title: text.code,
          isHead: true,
          cell: ({ code }) => (
            <a class="unbroken" href={linkTo(`/codes/${part(code)}`)}>
              {code}
            </a>
          ),
        },
        ...(bookId === '' ? [bookColumn] : []),
        { title: text.user, cell: ({ userId }) => <UserLink userId={userId} /> },
        { title: text.at, cell: (one) => books.has(one.bookId) && <RowMoment at={one.at} zone={zoneOf(one)} /> },
        { title: text.no, isNumber: true, cell: ({ seq }) => formatNumber(seq) },
        { title: text.reference, cell: ({ reference }) => <span dir="auto">{reference}</span> },
        {
          title: text.givenBack,
          cell: (one) =>
            one.reversedAt !== null && (
              <>
                <Badge tone="warning">{text.givenBack}</Badge>{' '}
                {books.has(one.bookId) && <RowMoment at={one.reversedAt} zone={zoneOf(one)} />}
              </>
            ),
        },
      ]}
    />
  );
}

function UserLink({ userId }: { userId: string | null }) {
  if (userId === null) return <span class="muted">{messages().code.erasedUser}</span>;
  return (
    <a href={linkTo(`/users/${part(userId)}`)} dir="auto">
      {userId}
    </a>
  );
}

/**
 * The filters as the API takes them. A day is one of the book's zone where a book is named, which the API knows; else
 * it is one of the viewer's, which stand in the list too.
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
