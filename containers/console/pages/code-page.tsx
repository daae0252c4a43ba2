import { linkTo, part } from '../address/address.ts';
import type { Parameters } from '../address/match-path.ts';
import { isOperator } from '../calls/session.ts';
import type { Book, CodeLookUp, CouponEvent } from '../calls/types.ts';
import { useList, useLoad } from '../calls/use-load.ts';
import { formatNumber } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { Moment } from '../parts/time.tsx';
import { CodeActions } from './code/code-actions.tsx';
import { CodeStory } from './code/code-story.tsx';
import { WhyRefused } from './code/why-refused.tsx';

const tones: Record<CodeLookUp['status'], Tone> = {
  available: 'quiet',
  assigned: 'good',
  locked: 'warning',
  redeemed: 'quiet',
  voided: 'danger',
};

/** A code: what it is now, its whole story, and what may be done about it. */
export function CodePage({ code = '' }: Parameters) {
  const text = messages();
  const found = useLoad<CodeLookUp>(`/v1/codes/${part(code)}`);
  const { data } = found;
  const mayLook = isOperator() && data !== null;
  const book = useLoad<Book>(mayLook ? `/v1/books/${data.bookId}` : null);
  // The whole story: as many changes as a coupon has in practice, and more of them on demand.
  const story = useList<CouponEvent>(
    mayLook && data.coupon !== null ? `/v1/coupons/${part(data.code)}/events?limit=100` : null,
  );
  if (data === null) {
    return (
      <Page title={text.code.title(code)}>
        {found.problem === null && <p class="loading">{text.common.loading}</p>}
        <ProblemBox problem={found.problem} retry={() => void found.reload()} />
      </Page>
    );
  }
  const events = story.items ?? [];
  const zone = book.data?.timeZone ?? 'UTC';
  const reload = () => {
    void found.reload();
    void story.reload();
  };
  return (
    <Page
      title={text.code.title(data.code)}
      actions={isOperator() && <CodeActions found={data} events={events} onChanged={reload} />}
      intro={
        <p>
          <Badge tone={tones[data.status]}>{text.code.statuses[data.status]}</Badge> {standingOf(data, book.data)}
        </p>
      }
    >
      <Facts found={data} book={book.data} zone={zone} />
      <ProblemBox problem={book.problem} retry={() => void book.reload()} />
      {data.coupon !== null && isOperator() && (
        <div class="columns">
          <section aria-labelledby="story">
            <h2 id="story">{text.code.story}</h2>
            <ProblemBox problem={story.problem} retry={() => void story.reload()} />
            {story.items !== null && <CodeStory events={events} zone={zone} />}
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

/** What the code is worth now, in a sentence. */
function standingOf({ status, coupon }: CodeLookUp, book: Book | null): string {
  const { now } = messages().code;
  if (status !== 'assigned' && status !== 'available') return now[status];
  const time = Date.now();
  const isPast = (at: string | null | undefined) => at != null && Date.parse(at) <= time;
  if (book !== null && book.status !== 'active') return now[book.status];
  if (isPast(book?.endsAt)) return now.ended;
  if (isPast(coupon?.expiresAt)) return now.expired;
  if (book?.startsAt != null && !isPast(book.startsAt)) return now.notYet;
  return now[status];
}

function Facts({ found: { coupon, bookId }, book, zone }: { found: CodeLookUp; book: Book | null; zone: string }) {
  const text = messages().code;
  return (
    <dl class="facts">
      <dt>{text.book}</dt>
      <dd>
        {isOperator() ? (
          <a href={linkTo(`/books/${bookId}`)} dir="auto">
            {book?.name ?? bookId}
          </a>
        ) : (
          bookId
        )}
      </dd>
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
              ? text.usedTimes(formatNumber(coupon.redemptions))
              : text.usedOf(formatNumber(coupon.redemptions), formatNumber(coupon.maxRedemptions))}
          </dd>
          {coupon.assignedAt !== null && (
            <>
              <dt>{text.assignedAt}</dt>
              <dd>
                <Moment at={coupon.assignedAt} zone={zone} />
              </dd>
            </>
          )}
          <dt>{text.expiresAt}</dt>
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
