import { useEffect, useState } from 'preact/hooks';
import { address, changeQuery, linkTo } from '../address/address.ts';
import { isAdmin } from '../calls/session.ts';
import type { Book } from '../calls/types.ts';
import { useList } from '../calls/use-load.ts';
import { messages } from '../messages/messages.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { SelectField, TextField } from '../parts/field.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { MakeDemoBook } from './book/demo-book.tsx';
import { AttentionList } from './overview/attention-list.tsx';
import { BookCard } from './overview/book-card.tsx';

const filters = ['active', 'draft', 'paused', 'closed', 'all'] as const;

/** The first page: what needs attention, then the books with their numbers as they are now. */
export function OverviewPage() {
  const text = messages();
  const { query } = address.value;
  const filter = filters.find((name) => name === query.get('status')) ?? 'all';
  const name = query.get('q') ?? '';
  const asked = new URLSearchParams({ limit: '24' });
  if (filter !== 'all') asked.set('status', filter);
  if (name !== '') asked.set('q', name);
  const books = useList<Book>(`/v1/books?${asked}`);
  const isFiltered = filter !== 'all' || name !== '';
  const isNew = !isFiltered && books.items?.length === 0;
  return (
    <Page
      title={text.overview.title}
      actions={
        isAdmin() && (
          <ButtonLink kind="primary" href={linkTo('/books/new')}>
            {text.overview.newBook}
          </ButtonLink>
        )
      }
    >
      {isNew ? (
        <FirstSteps />
      ) : (
        <>
          <AttentionList />
          <section aria-labelledby="books">
            <div class="section-head">
              <h2 id="books">{text.overview.books}</h2>
              <BookFilters filter={filter} name={name} />
            </div>
            {books.items === null && books.problem === null && <p class="loading">{text.common.loading}</p>}
            <ProblemBox problem={books.problem} retry={() => void books.reload()} />
            {books.items?.length === 0 && !books.hasMore && (
              <EmptyState title={text.overview.noneFound}>
                <p>{text.overview.noneFoundHint}</p>
              </EmptyState>
            )}
            <ul class="cards">
              {books.items?.map((book) => (
                <BookCard key={book.id} book={book} />
              ))}
            </ul>
            {books.hasMore && (
              <p class="more">
                <Button onClick={() => void books.loadMore()} isBusy={books.isLoading}>
                  {books.isLoading ? text.common.loading : text.common.loadMore}
                </Button>
              </p>
            )}
          </section>
        </>
      )}
    </Page>
  );
}

function FirstSteps() {
  const text = messages().overview;
  return (
    <EmptyState
      title={text.emptyTitle}
      actions={
        isAdmin() && (
          <>
            <ButtonLink kind="primary" href={linkTo('/books/new')}>
              {text.newBook}
            </ButtonLink>
            <MakeDemoBook />
          </>
        )
      }
    >
      <p>{text.empty}</p>
      <ol>
        {text.emptySteps.split('\n').map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    </EmptyState>
  );
}

function BookFilters({ filter, name }: { filter: (typeof filters)[number]; name: string }) {
  const text = messages().overview;
  const [typed, setTyped] = useState(name);
  useEffect(() => setTyped(name), [name]);
  // A request for each letter would be many; a moment's rest is what people do at the end.
  useEffect(() => {
    if (typed === name) return;
    const timer = setTimeout(() => changeQuery({ q: typed.trim() }), 300);
    return () => clearTimeout(timer);
  }, [typed, name]);
  return (
    <div class="filters">
      <SelectField
        label={text.filterLabel}
        value={filter}
        onValue={(status) => changeQuery({ status: status === 'all' ? null : status })}
        options={filters.map((status) => [status, text.filters[status]] as const)}
      />
      <TextField
        label={text.findLabel}
        type="search"
        placeholder={text.findHint}
        maxLength={200}
        value={typed}
        onValue={setTyped}
      />
    </div>
  );
}
