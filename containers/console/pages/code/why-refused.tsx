import { useState } from 'preact/hooks';
import { address, changeQuery, part } from '../../address/address.ts';
import type { Book, BookRevision, Coupon, CouponEvent, Page } from '../../calls/types.ts';
import { useLoad } from '../../calls/use-load.ts';
import { formatExactMoment, fromLocalInput, placeOf } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { MomentField } from '../../parts/moment-field.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';
import { erased, holderAt, type Reason, reasonsAt } from './standing-at.ts';

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
  const now = Date.now();
  const isPast = instant !== null && Date.parse(instant) <= now;
  const holder = isPast ? holderAt(new Date(instant), events) : null;
  const limits = { maxRedemptions: coupon?.maxRedemptions ?? null, expiresAt: coupon?.expiresAt ?? null };
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
          <ul class="reasons">
            {reasonsAt(new Date(instant), events, limits, revisions.data.data, now).map((reason) => (
              <li key={reason.kind}>{wordsOf(reason, book.timeZone)}</li>
            ))}
            {holder === erased && <li>{text.reasons.erasedUser}</li>}
            {typeof holder === 'string' && <li dir="auto">{text.reasons.otherUser(holder)}</li>}
          </ul>
        </div>
      )}
    </section>
  );
}

function wordsOf(reason: Reason, zone: string): string {
  const { reasons } = messages().code;
  return 'at' in reason ? reasons[reason.kind](formatExactMoment(reason.at, zone)) : reasons[reason.kind];
}
