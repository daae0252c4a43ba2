import { linkTo, part } from '../address/address.ts';
import type { Parameters } from '../address/match-path.ts';
import { isOver } from '../calls/is-over.ts';
import { isOperator } from '../calls/session.ts';
import type { Book, CodeLookUp, CouponEvent, Deck, Page as ListPage } from '../calls/types.ts';
import { useKeyNames } from '../calls/use-key-names.ts';
import { useList, useLoad } from '../calls/use-load.ts';
import { type Refusal, useRefusal } from '../calls/use-refusal.ts';
import { formatNumber } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { actorName } from '../parts/actor-name.ts';
import { BookLink } from '../parts/book-link.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { type Judged, RefusedBadge, type Standing, StandingBadge, standingOf } from '../parts/standing.tsx';
import { Moment } from '../parts/time.tsx';
import { CodeActions } from './code/code-actions.tsx';
import { CodeStory } from './code/code-story.tsx';
import { WhyRefused } from './code/why-refused.tsx';

/** Of a book with more of them, the first are looked through. */
const readMaxDecks = 200;

/** A code: what it is now, its whole story, and what may be done about it. */
export function CodePage({ code = '' }: Parameters) {
  const text = messages();
  const found = useLoad<CodeLookUp>(`/v1/codes/${part(code)}`);
  const { data } = found;
  const mayLook = isOperator() && data !== null;
  const book = useLoad<Book>(mayLook ? `/v1/books/${data.bookId}` : null);
  const decks = useLoad<ListPage<Deck>>(
    mayLook && data.deckId !== null ? `/v1/books/${data.bookId}/decks?limit=${readMaxDecks}` : null,
  );
  // The whole story: as many changes as a coupon has in practice, and more of them on demand.
  const story = useList<CouponEvent>(
    mayLook && data.coupon !== null ? `/v1/coupons/${part(data.code)}/events?limit=100` : null,
  );
  // A redeemer does not see the book, and may ask what would come of a redemption.
  const refusal = useRefusal(isOperator() ? null : data);
  const keyNames = useKeyNames(data !== null && (data.coupon !== null || data.voidedAt !== undefined));
  if (found.problem?.kind === 'coupon-not-found' || found.problem?.kind === 'invalid-input')
    return <NoSuchCode code={code} />;
  if (data === null) {
    return (
      <Page title={text.code.title(code)}>
        {found.problem === null && <p class="loading">{text.common.loading}</p>}
        <ProblemBox problem={found.problem} retry={() => void found.reload()} />
      </Page>
    );
  }
  // A public code stands in no deck.
  if (data.deckId === null) return <PublicCode found={data} book={book.data} refusal={refusal} />;
  const events = story.items ?? [];
  const zone = book.data?.timeZone ?? 'UTC';
  // What a code is worth hangs on its book too.
  const isJudged = isOperator() ? book.data !== null || book.problem !== null : refusal !== undefined;
  const standing = standingOf(data, book.data);
  const reload = () => {
    void found.reload();
    void story.reload();
  };
  return (
    <Page
      title={text.code.title(data.code)}
      actions={
        isOperator() && isJudged && <CodeActions {...{ standing, events, zone }} found={data} onChanged={reload} />
      }
      intro={
        isJudged ? (
          <Judgement found={data} standing={standing} refusal={refusal ?? null} />
        ) : (
          <p class="loading">{text.common.loading}</p>
        )
      }
    >
      <Facts
        found={data}
        book={book.data}
        deck={decks.data?.data.find(({ id }) => id === data.deckId)}
        zone={zone}
        keys={keyNames}
      />
      <ProblemBox problem={book.problem} retry={() => void book.reload()} />
      {data.coupon !== null && isOperator() && (
        <div class="columns">
          <section aria-labelledby="story">
            <h2 id="story">{text.code.story}</h2>
            <ProblemBox problem={story.problem} retry={() => void story.reload()} />
            {story.items !== null && <CodeStory events={events} zone={zone} keys={keyNames} />}
            {story.hasMore && (
              <Button onClick={() => void story.loadMore()} isBusy={story.isLoading}>
                {text.common.loadMore}
              </Button>
            )}
          </section>
          {book.data !== null && story.items !== null && (
            <WhyRefused book={book.data} coupon={data.coupon} events={events} />
          )}
        </div>
      )}
    </Page>
  );
}

/** What a code is worth, in a badge and a sentence. */
function Judgement({ found, standing, refusal }: { found: Judged; standing: Standing; refusal: Refusal }) {
  const { code: text, problems } = messages();
  return standing === 'assigned' && refusal !== null ? (
    <p>
      <RefusedBadge /> {text.refusedNow(problems.kinds[refusal])}
    </p>
  ) : (
    <p>
      <StandingBadge found={found} standing={standing} /> {text.now[standing]}
    </p>
  );
}

/** Where a code leads that there is none of: to another one, or to the user whose id it is. */
function NoSuchCode({ code }: { code: string }) {
  const text = messages().code;
  const look = () => {
    const field = document.querySelector<HTMLInputElement>('#search');
    if (field === null) return;
    // One wrong letter is mended, instead of all of them typed again.
    field.value = code;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.focus();
    field.select();
  };
  return (
    <Page title={text.title(code)}>
      <EmptyState
        title={text.missing}
        actions={
          <>
            <Button kind="primary" onClick={look}>
              {text.typeAgain}
            </Button>
            {isOperator() && <ButtonLink href={linkTo(`/users/${part(code)}`)}>{text.asUser}</ButtonLink>}
          </>
        }
      >
        <p>{text.hint}</p>
      </EmptyState>
    </Page>
  );
}

/** The code that everybody may bring: it has no story of its own. */
function PublicCode({
  found,
  book,
  refusal,
}: {
  found: CodeLookUp;
  book: Book | null;
  /** Undefined until it is known. */
  refusal: Refusal | undefined;
}) {
  const text = messages().code;
  // Whoever brings it is given a coupon first, and then it is worth what theirs is.
  const coupon = { status: 'assigned', coupon: null } as const;
  const standing = standingOf(coupon, book);
  const isUsable = standing === coupon.status && refusal === null;
  return (
    <Page
      title={text.publicTitle(found.code)}
      intro={
        refusal === undefined ? (
          <p class="loading">{messages().common.loading}</p>
        ) : isUsable ? (
          <p>{text.publicNow}</p>
        ) : (
          <Judgement found={coupon} standing={standing} refusal={refusal} />
        )
      }
    >
      {isOperator() && (
        <>
          <dl class="facts">
            <dt>{text.book}</dt>
            <dd>
              <BookLink id={found.bookId} name={book?.name} />
            </dd>
            {book !== null && (
              <>
                <dt>{endTitle(book.endsAt)}</dt>
                <dd>{book.endsAt === null ? text.never : <Moment at={book.endsAt} zone={book.timeZone} />}</dd>
              </>
            )}
          </dl>
          <p class="muted">{text.publicHint}</p>
        </>
      )}
    </Page>
  );
}

/** What stands beside an end: whether it is still to come. */
function endTitle(endsAt: string | null): string {
  const text = messages().code;
  return isOver(endsAt, Date.now()) ? text.hasEnded : text.ends;
}

/**
 * @param deck in which the code came into its book; undefined: it is not known
 * @param keys the names of API keys, by id
 */
function Facts({
  found,
  book,
  deck,
  zone,
  keys,
}: {
  found: CodeLookUp;
  book: Book | null;
  deck: Deck | undefined;
  zone: string;
  keys: ReadonlyMap<string, string>;
}) {
  const { coupon, bookId } = found;
  const { code: text, decks } = messages();
  return (
    <dl class="facts">
      {isOperator() && (
        <>
          <dt>{text.book}</dt>
          <dd>
            <BookLink id={bookId} name={book?.name} />
          </dd>
          {deck !== undefined && (
            <>
              <dt>{text.cameWith}</dt>
              <dd>
                <a href={linkTo(`/books/${bookId}/decks`)}>{decks.kinds[deck.kind]}</a>,{' '}
                {(deck.name ?? deck.pattern) !== null && (
                  <>
                    <bdi class={deck.pattern === null ? undefined : 'code'}>{deck.name ?? deck.pattern}</bdi>,{' '}
                  </>
                )}
                <Moment at={deck.createdAt} zone={zone} />
              </dd>
            </>
          )}
        </>
      )}
      <VoidWithDeck found={found} deck={deck} zone={zone} keys={keys} />
      <dt>{text.holder}</dt>
      <dd>
        {coupon === null ? (
          text.nobody
        ) : coupon.userId === null ? (
          text.erasedUser
        ) : isOperator() ? (
          <a href={linkTo(`/users/${part(coupon.userId)}`)} dir="auto">
            {coupon.userId}
          </a>
        ) : (
          <span dir="auto">{coupon.userId}</span>
        )}
      </dd>
      {coupon !== null && (
        <>
          <dt>{text.used}</dt>
          <dd>
            {coupon.maxRedemptions === null
              ? text.usedTimes(coupon.redemptions)
              : text.usedOf(formatNumber(coupon.redemptions), formatNumber(coupon.maxRedemptions))}{' '}
            {coupon.redemptions > 0 && isOperator() && (
              <>
                {'· '}
                <a href={linkTo('/redemptions', { code: coupon.code })}>{text.uses}</a>
              </>
            )}
          </dd>
          {coupon.assignedAt !== null && (
            <>
              <dt>{text.assignedAt}</dt>
              <dd>
                <Moment at={coupon.assignedAt} zone={zone} />
              </dd>
            </>
          )}
          <dt>{endTitle(coupon.expiresAt)}</dt>
          <dd>{coupon.expiresAt === null ? text.never : <Moment at={coupon.expiresAt} zone={zone} />}</dd>
          {coupon.lockedUntil !== null && (
            <>
              <dt>{text.lockedUntil}</dt>
              <dd>
                <Moment at={coupon.lockedUntil} zone={zone} isExact />
              </dd>
            </>
          )}
        </>
      )}
    </dl>
  );
}

/** When, by whom and why the list of a code was made void before anybody was given it. */
function VoidWithDeck({
  found: { voidedAt, voidedReason },
  deck,
  zone,
  keys,
}: {
  found: CodeLookUp;
  deck: Deck | undefined;
  zone: string;
  keys: ReadonlyMap<string, string>;
}) {
  const { code: text, decks } = messages();
  if (voidedAt === undefined) return null;
  return (
    <>
      <dt>{decks.madeVoid}</dt>
      <dd>
        <Moment at={voidedAt} zone={zone} />
        {deck?.voidedBy != null && (
          <>
            {' · '}
            <span dir="auto">{text.who(actorName(deck.voidedBy, keys))}</span>
          </>
        )}
      </dd>
      {voidedReason != null && voidedReason !== '' && (
        <>
          <dt>{text.reason.label}</dt>
          <dd dir="auto">{voidedReason}</dd>
        </>
      )}
    </>
  );
}
