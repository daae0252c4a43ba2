import { linkTo } from '../address/address.ts';
import type { Parameters } from '../address/match-path.ts';
import { hasEnded } from '../calls/is-over.ts';
import { isOperator } from '../calls/session.ts';
import type { Book } from '../calls/types.ts';
import { useLiveBook } from '../calls/use-live-book.ts';
import { messages } from '../messages/messages.ts';
import { BookStatus } from '../parts/badge.tsx';
import { GiveCode } from '../parts/give-code.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { Moment } from '../parts/time.tsx';
import { BookActions } from './book/book-actions.tsx';
import { BookDecks } from './book/book-decks.tsx';
import { BookNumbers } from './book/book-numbers.tsx';
import { BookRules } from './book/book-rules.tsx';
import { DemoNote } from './book/demo-book.tsx';

/** The parts of a book's page; the first is shown where the address names none. */
const tabs = [
  { name: 'numbers', view: BookNumbers },
  { name: 'decks', view: BookDecks },
  { name: 'rules', view: BookRules },
] as const;

/** A book: its numbers, its rules, its codes. */
export function BookPage({ bookId = '', tab }: Parameters) {
  const text = messages();
  const book = useLiveBook(bookId);
  const shown = tabs.find(({ name }) => name === tab) ?? tabs[0];
  const above = <a href={linkTo('/')}>{text.shell.overview}</a>;
  if (book.data === null) {
    return (
      <Page title={book.problem?.status === 404 ? text.book.missing : text.book.title} above={above}>
        {book.problem === null && <p class="loading">{text.common.loading}</p>}
        <ProblemBox problem={book.problem} retry={() => void book.reload()} />
      </Page>
    );
  }
  const { data } = book;
  return (
    <Page
      title={data.name}
      above={above}
      actions={
        <>
          {isOperator() && data.status === 'active' && !hasEnded(data) && (
            <GiveCode book={data} onGiven={() => void book.reload()} />
          )}
          <BookActions book={book} />
        </>
      }
      intro={
        <p>
          <BookStatus book={data} /> <BookWindow book={data} />
        </p>
      }
    >
      <DemoNote book={data} />
      <nav class="tabs" aria-label={text.book.tabs}>
        {tabs.map(({ name }) => (
          <a
            key={name}
            href={linkTo(`/books/${data.id}${name === tabs[0].name ? '' : `/${name}`}`)}
            aria-current={name === shown.name ? 'page' : undefined}
          >
            {text.book[name]}
          </a>
        ))}
      </nav>
      <shown.view key={data.id} book={book} />
    </Page>
  );
}

function BookWindow({ book }: { book: Book }) {
  const { startsAt, endsAt, timeZone } = book;
  const text = messages().book;
  if (startsAt === null && endsAt === null) return <span class="muted">{text.always}</span>;
  return (
    <span>
      {startsAt !== null && !hasEnded(book) && (
        <>
          {text.from('')}
          <Moment at={startsAt} zone={timeZone} />{' '}
        </>
      )}
      {endsAt !== null && (
        <>
          {hasEnded(book) ? text.endedOn('') : text.until('')}
          <Moment at={endsAt} zone={timeZone} />
        </>
      )}
    </span>
  );
}
