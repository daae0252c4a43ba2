import { useEffect } from 'preact/hooks';
import { address, goTo, linkTo, part } from '../address/address.ts';
import { call } from '../calls/call.ts';
import { isOperator } from '../calls/session.ts';
import type { Book, CodeLookUp, Page as ListPage } from '../calls/types.ts';
import { useLoad } from '../calls/use-load.ts';
import { messages } from '../messages/messages.ts';
import { ButtonLink } from '../parts/button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';

/** Longer texts are no user's id, nor a code: 128 characters, and an emoji may be as many as 8 units. */
const maxUnits = 1_024;
const shownMaxBooks = 10;

/**
 * Leads from what was typed into the search field to what it is: a code, however it is typed, else a user. A text that
 * looks like neither is answered here. The address is that of the search, so it can be repeated and shared.
 */
export function FindPage() {
  const typed = (address.value.query.get('q') ?? '').trim();
  const text = messages();
  const isAskable = typed !== '' && typed.length <= maxUnits;
  const { data, problem, reload } = useLoad<CodeLookUp>(isAskable ? `/v1/codes/${part(typed)}` : null);
  const isUnknown = problem?.kind === 'coupon-not-found' || problem?.kind === 'invalid-input';

  const isOfBooks = isUnknown && isOperator() && typed.length <= 200;
  const books = useLoad<ListPage<Book>>(
    isOfBooks ? `/v1/books?limit=${shownMaxBooks}&q=${encodeURIComponent(typed)}` : null,
  );

  useEffect(() => {
    if (data !== null) goTo(linkTo(`/codes/${part(data.code)}`), { replace: true });
  }, [data]);
  useEffect(() => {
    if (!isUnknown || !isOperator()) return;
    // A user who has nothing is as likely a mistyped code: then the choice is theirs who typed it.
    const controller = new AbortController();
    const path = `/v1/users/${part(typed)}/coupons?limit=1`;
    void call<{ data: unknown[] }>('GET', path, { signal: controller.signal }).then((answer) => {
      if (controller.signal.aborted || !answer.ok || answer.body.data.length === 0) return;
      goTo(linkTo(`/users/${part(typed)}`), { replace: true });
    });
    return () => controller.abort();
  }, [isUnknown, typed]);

  return (
    <Page title={text.code.findTitle}>
      {isUnknown || !isAskable ? (
        <EmptyState
          title={typed === '' ? text.code.typeFirst : text.code.neither(typed)}
          actions={
            isOperator() &&
            isAskable && <ButtonLink href={linkTo(`/users/${part(typed)}`)}>{text.code.asUser}</ButtonLink>
          }
        >
          {typed !== '' && <p>{text.code.hint}</p>}
          {isOfBooks && books.data !== null && books.data.data.length > 0 && (
            <>
              <h3>{text.code.booksLike}</h3>
              <ul>
                {books.data.data.map(({ id, name }) => (
                  <li key={id}>
                    <a href={linkTo(`/books/${id}`)} dir="auto">
                      {name}
                    </a>
                  </li>
                ))}
              </ul>
            </>
          )}
        </EmptyState>
      ) : problem === null ? (
        <p class="loading">{text.shell.searching}</p>
      ) : (
        <ProblemBox problem={problem} retry={() => void reload()} />
      )}
    </Page>
  );
}
