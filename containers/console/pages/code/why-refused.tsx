import { useState } from 'preact/hooks';
import { address, changeQuery, part } from '../../address/address.ts';
import type { Book, BookRevision, Coupon, CouponEvent, Page } from '../../calls/types.ts';
import { useLoad } from '../../calls/use-load.ts';
import { formatExactMoment, formatExactTime, fromLocalInput, placeOf } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { MomentField } from '../../parts/moment-field.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';
import { erased, holdersAt, type Reason, reasonsAt, type Span } from './standing-at.ts';

/** Far more changes than a book has in practice. */
const readMaxRevisions = 1_000;

/** Answers “why was it refused yesterday at 21:05?”. The moment is part of the address, so the answer can be shared. */
export function WhyRefused({ book, coupon, events }: { book: Book; coupon: Coupon | null; events: CouponEvent[] }) {
  const text = messages().code;
  const [local, setLocal] = useState(address.value.query.get('moment') ?? '');
  const instant = local === '' ? null : fromLocalInput(local, book.timeZone);
  // A change since the page was opened is of no moment that lies behind.
  const revisions = useLoad<Page<BookRevision>>(
    instant === null ? null : `/v1/books/${part(book.id)}/revisions?limit=${readMaxRevisions}`,
  );
  return (
    <section class="panel stack why" aria-labelledby="why">
      <h2 id="why">{text.momentTitle}</h2>
      <p class="muted">{text.momentIntro}</p>
      <MomentField
        label={text.moment}
        zone={book.timeZone}
        help={local === '' ? messages().common.timesOf(placeOf(book.timeZone)) : undefined}
        value={local}
        onValue={(value) => {
          setLocal(value);
          changeQuery({ moment: value });
        }}
      />
      <ProblemBox problem={revisions.problem} retry={() => void revisions.reload()} />
      {instant !== null && revisions.data === null && revisions.problem === null && (
        <p class="loading">{messages().common.loading}</p>
      )}
      {instant !== null && revisions.data !== null && (
        <div role="status">
          <Reasons
            moment={new Date(instant)}
            coupon={coupon}
            events={events}
            revisions={revisions.data.data}
            zone={book.timeZone}
          />
        </div>
      )}
    </section>
  );
}

function Reasons({
  moment,
  coupon,
  events,
  revisions,
  zone,
}: {
  moment: Date;
  coupon: Coupon | null;
  events: CouponEvent[];
  revisions: BookRevision[];
  zone: string;
}) {
  const { reasons } = messages().code;
  const now = Date.now();
  const limits = { maxRedemptions: coupon?.maxRedemptions ?? null, expiresAt: coupon?.expiresAt ?? null };
  const found = reasonsAt(moment, events, limits, revisions, now);
  const holders = moment.getTime() <= now ? holdersAt(moment, events) : [];
  const said = [
    ...found.map(({ from, to, ...reason }) => ({ from, to, words: wordsOf(reason, zone) })),
    ...holders.map(({ from, to, user }) => ({
      from,
      to,
      words: user === erased ? reasons.erasedUser : reasons.otherUser(user),
    })),
  ];
  const when = spanWords(said, zone);
  return (
    <ul class="reasons">
      {said.map(({ from, to, words }) => (
        <li key={`${from} ${to} ${words}`} dir="auto">
          {(from !== null || to !== null) && <strong>{when({ from, to })}</strong>} {words}
        </li>
      ))}
    </ul>
  );
}

/** The times of what held for a part of a minute only: to the second, or further where seconds are the same. */
function spanWords(spans: readonly Span[], zone: string): (span: Span) => string {
  const { between, since, until } = messages().code.reasonTimes;
  const turns = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].filter((at) => at !== null);
  const time = (at: number) => {
    const second = formatExactTime(at, zone, false);
    const isAlone = turns.every((other) => other === at || formatExactTime(other, zone, false) !== second);
    return isAlone ? second : formatExactTime(at, zone, true);
  };
  return ({ from, to }) => {
    if (from === null) return until(time(to!));
    return to === null ? since(time(from)) : between(time(from), time(to));
  };
}

function wordsOf(reason: Reason, zone: string): string {
  const { reasons } = messages().code;
  return 'at' in reason ? reasons[reason.kind](formatExactMoment(reason.at, zone)) : reasons[reason.kind];
}
