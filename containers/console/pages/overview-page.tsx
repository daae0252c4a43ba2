import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { address, changeQuery, linkTo } from '../address/address.ts';
import { isAdmin } from '../calls/session.ts';
import type { Book, BookCounts, Page as ListPage, Report } from '../calls/types.ts';
import { useList, useLoad } from '../calls/use-load.ts';
import { usePoll } from '../calls/use-poll.ts';
import { formatDistance, formatMoment, formatNumber, formatShare } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { BookStatus } from '../parts/badge.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { SelectField, TextField } from '../parts/field.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { type Attention, attentionOf } from './book/book-attention.ts';
import { MakeDemoBook } from './book/demo-book.tsx';

const filters = ['active', 'draft', 'paused', 'closed', 'all'] as const;
/** As many active books are looked through for what needs attention: one answer of the API, whatever there is. */
const attentionMaxBooks = 200;
const dayMillis = 86_400_000;

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

function AttentionList() {
  const text = messages().overview;
  const active = useLoad<ListPage<Book>>(`/v1/books?status=active&limit=${attentionMaxBooks}`);
  // The moment at which the books were read is what they are held against.
  const found = useMemo(() => {
    const now = Date.now();
    return (active.data?.data ?? [])
      .flatMap((book) => attentionOf(book, now).map((attention) => ({ book, attention })))
      .slice(0, 12);
  }, [active.data]);
  if (active.data === null) {
    return active.problem === null ? (
      <p class="loading">{messages().common.loading}</p>
    ) : (
      <ProblemBox problem={active.problem} />
    );
  }
  return (
    <section aria-labelledby="attention" class="attention">
      <h2 id="attention">{text.attention}</h2>
      {found.length === 0 ? (
        <p class="muted">{text.allWell}</p>
      ) : (
        <ul>
          {found.map(({ book, attention }) => (
            <li key={`${book.id} ${attention.kind}`} class={`attention-${attention.kind}`}>
              <a href={linkTo(`/books/${book.id}`)} dir="auto">
                {book.name}
              </a>{' '}
              {sentenceOf(attention, book)}
            </li>
          ))}
        </ul>
      )}
      {active.data.nextCursor !== null && <p class="muted">{text.attentionOf(active.data.data.length)}</p>}
    </section>
  );
}

function sentenceOf(attention: Attention, book: Book): string {
  const text = messages().overview;
  switch (attention.kind) {
    case 'no-codes':
      return text.noCodes;
    case 'exhausted':
      return text.exhausted;
    case 'running-out':
      return text.runningOut(attention.left, formatShare(attention.share));
    case 'ended':
      return text.ended(formatMoment(attention.at, book.timeZone));
    case 'ending':
      return text.ending(formatDistance(attention.at, Date.now()), formatMoment(attention.at, book.timeZone));
  }
}

/** A book with its numbers, which are asked for while the card is on the screen. */
function BookCard({ book }: { book: Book }) {
  const text = messages().overview;
  const card = useRef<HTMLLIElement>(null);
  const isSeen = useIsSeen(card);
  const isMoving = book.status === 'active' || book.status === 'paused';
  const polled = usePoll<BookCounts>(isSeen && isMoving ? `/v1/books/${book.id}/counts` : null);
  const latest = useRef<BookCounts | Book['counts']>(book.counts);
  if (polled !== null) latest.current = polled;
  const { codes, available, assigned, redemptions } = latest.current;
  const share = codes === 0 ? 0 : 1 - available / codes;
  return (
    <li class="card" ref={card}>
      <div class="card-head">
        <h3 dir="auto">
          <a href={linkTo(`/books/${book.id}`)}>{book.name}</a>
        </h3>
        <BookStatus status={book.status} />
      </div>
      <dl class="figures">
        <div class="figure-main">
          <dt>{text.available}</dt>
          <dd>{formatNumber(available)}</dd>
        </div>
        <div>
          <dt>{text.assigned}</dt>
          <dd>{formatNumber(assigned)}</dd>
        </div>
        <div>
          <dt>{text.redemptions}</dt>
          <dd>{formatNumber(redemptions)}</dd>
        </div>
      </dl>
      {isMoving && <LastDay bookId={book.id} isSeen={isSeen} />}
      <meter class="meter" min={0} max={1} value={share} aria-label={text.givenShare(formatShare(share))} />
      <p class="muted card-foot">
        {book.endsAt === null ? text.openEnd : text.endsOn(formatMoment(book.endsAt, book.timeZone))}
      </p>
    </li>
  );
}

/** What was redeemed in the last 24 hours, read once when the card is first seen. */
function LastDay({ bookId, isSeen }: { bookId: string; isSeen: boolean }) {
  const wasSeen = useRef(false);
  wasSeen.current ||= isSeen;
  const from = useMemo(() => new Date(Date.now() - dayMillis).toISOString(), []);
  const path = `/v1/books/${bookId}/report?step=hour&from=${encodeURIComponent(from)}`;
  const { data } = useLoad<Report>(wasSeen.current ? path : null);
  const values = (data?.data ?? []).map(({ redeemed }) => redeemed);
  const sum = values.reduce((total, value) => total + value, 0);
  // A flat line says nothing that the number does not.
  if (sum === 0) return null;
  return (
    <div>
      <Sparkline values={values} />
      <p class="muted card-foot">{messages().report.spark(formatNumber(sum))}</p>
    </div>
  );
}

function useIsSeen(element: { current: Element | null }): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (element.current === null) return;
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting ?? false));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return isSeen;
}
