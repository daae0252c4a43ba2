import { useEffect } from 'preact/hooks';
import { address, goTo, linkTo, part } from '../address/address.ts';
import { isOperator } from '../calls/session.ts';
import type { Book, CodeLookUp, Page as ListPage } from '../calls/types.ts';
import { useBooks } from '../calls/use-books.ts';
import { useLoad } from '../calls/use-load.ts';
import { messages } from '../messages/messages.ts';
import { BookLink } from '../parts/book-link.tsx';
import { ButtonLink } from '../parts/button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { StandingBadge, standingOf } from '../parts/standing.tsx';

/** Longer texts are no user's id, nor a code: 128 characters, and an emoji may be as many as 8 units. */
const maxUnits = 1_024;
/** As long as a part of a book's name may be. */
const nameMaxUnits = 200;
const shownMaxBooks = 10;

/**
 * Leads from what was typed into the search field to what it is: a code, however it is typed, else a user. A text
 * that may be several things, or none, is answered here. The address is that of the search, so it can be repeated
 * and shared.
 */
export function FindPage() {
  const typed = (address.value.query.get('q') ?? '').trim();
  const text = messages();
  const isAskable = typed !== '' && typed.length <= maxUnits;
  const { data, problem, reload } = useLoad<CodeLookUp>(isAskable ? `/v1/codes/${part(typed)}` : null);
  const isUnknown = problem?.kind === 'coupon-not-found' || problem?.kind === 'invalid-input';

  const others = useOthers(isUnknown ? typed : null);
  const direct =
    data !== null ? `/codes/${part(data.code)}` : others.isRead ? onlyOne(others.codes, others.hasUser, typed) : null;
  useEffect(() => {
    if (direct !== null) goTo(linkTo(direct), { replace: true });
  }, [direct]);

  const isAnswered = !isAskable || (isUnknown && direct === null && others.isRead);
  if (!isAnswered)
    return (
      <Page title={text.code.findTitle}>
        {problem === null || isUnknown ? (
          <p class="loading">{text.shell.searching}</p>
        ) : (
          <ProblemBox problem={problem} retry={() => void reload()} />
        )}
      </Page>
    );
  return (
    <Page title={text.code.findTitle}>
      <EmptyState
        title={titleOf(typed, others)}
        actions={
          isOperator() &&
          isAskable && <ButtonLink href={linkTo(`/users/${part(typed)}`)}>{text.code.asUser}</ButtonLink>
        }
      >
        {others.codes.length > 0 ? <AlikeCodes codes={others.codes} /> : typed !== '' && <p>{text.code.hint}</p>}
        {others.books.length > 0 && (
          <>
            <h3>{text.code.booksLike}</h3>
            <ul>
              {others.books.map(({ id, name }) => (
                <li key={id}>
                  <BookLink id={id} name={name} />
                </li>
              ))}
            </ul>
          </>
        )}
      </EmptyState>
    </Page>
  );
}

function titleOf(typed: string, { codes }: Others): string {
  const text = messages().code;
  if (typed === '') return text.typeFirst;
  return codes.length > 0 ? text.alikeCodes(typed) : text.neither(typed);
}

/** What a text may mean that is no code as it stands. */
interface Others {
  /** Whether all of it was read, or could not be: then it is left out. */
  isRead: boolean;
  codes: CodeLookUp[];
  /** Whether there is a user of this id who has had a coupon. */
  hasUser: boolean;
  books: Book[];
}

/** @param typed null: nothing is asked for */
function useOthers(typed: string | null): Others {
  const named = part(typed ?? '');
  const ofOperators = isOperator() && typed !== null;
  const codes = useLoad<ListPage<CodeLookUp>>(typed === null ? null : `/v1/codes/${named}/alike`);
  const coupons = useLoad<ListPage<unknown>>(ofOperators ? `/v1/users/${named}/coupons?limit=1` : null);
  const isName = ofOperators && typed.length <= nameMaxUnits;
  const books = useLoad<ListPage<Book>>(isName ? `/v1/books?limit=${shownMaxBooks}&q=${named}` : null);
  return {
    isRead: typed !== null && ![codes, coupons, books].some(({ isLoading }) => isLoading),
    codes: codes.data?.data ?? [],
    hasUser: (coupons.data?.data.length ?? 0) > 0,
    books: books.data?.data ?? [],
  };
}

/** Where to go without a question: nowhere where a code and a user may be meant, or several codes. */
function onlyOne(codes: readonly CodeLookUp[], hasUser: boolean, typed: string): string | null {
  if (codes.length === 0) return hasUser ? `/users/${part(typed)}` : null;
  return codes.length === 1 && !hasUser ? `/codes/${part(codes[0]!.code)}` : null;
}

function AlikeCodes({ codes }: { codes: CodeLookUp[] }) {
  const books = useBooks(isOperator() ? codes.map(({ bookId }) => bookId) : []);
  return (
    <ul class="alike">
      {codes.map((found) => (
        <li key={found.code}>
          <a class="code" href={linkTo(`/codes/${part(found.code)}`)}>
            {found.code}
          </a>{' '}
          {(!isOperator() || books.has(found.bookId)) && (
            <StandingBadge found={found} standing={standingOf(found, books.get(found.bookId) ?? null)} />
          )}
          {isOperator() && (
            <>
              {' '}
              <BookLink id={found.bookId} name={books.get(found.bookId)?.name} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
