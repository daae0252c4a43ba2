import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { linkTo } from '../../address/address.ts';
import { isOver } from '../../calls/is-over.ts';
import { hasPublicStock } from '../../calls/public-stock.ts';
import type { Book, BookCounts } from '../../calls/types.ts';
import { usePoll } from '../../calls/use-poll.ts';
import { useReport } from '../../calls/use-report.ts';
import { formatFigure, formatMoment, formatNumber, formatShare, placeOf, viewerZone } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { BookStatus } from '../../parts/badge.tsx';
import { Sparkline } from '../../parts/sparkline.tsx';

const hourMillis = 3_600_000;
const dayMillis = 24 * hourMillis;

/**
 * A book with its numbers, which are asked for while the card is on the screen. Of one with a public code nothing is
 * left or runs out: its codes are made as they are asked for.
 */
export function BookCard({ book }: { book: Book }) {
  const text = messages().overview;
  const card = useRef<HTMLLIElement>(null);
  const isSeen = useIsSeen(card);
  const isMoving = book.status === 'active' || book.status === 'paused';
  const polled = usePoll<BookCounts>(isSeen && isMoving ? `/v1/books/${book.id}/counts` : null);
  const latest = useRef<BookCounts | Book['counts']>(book.counts);
  if (polled !== null) latest.current = polled;
  const { codes, available, assigned, redemptions, voided } = latest.current;
  // Since when there are so many redemptions, as far as the card has seen them.
  const asOf = useMemo(() => polled?.asOf ?? null, [polled === null, redemptions]);
  const share = codes === 0 ? 0 : 1 - available / codes;
  const isPublic = hasPublicStock({ publicCode: book.publicCode, counts: latest.current });
  const words = useId();
  return (
    <li class="card" ref={card}>
      <div class="card-head">
        <h3 dir="auto">
          <a href={linkTo(`/books/${book.id}`)}>{book.name}</a>
        </h3>
        <BookStatus book={book} />
      </div>
      <dl class="figures">
        {book.publicCode === null ? (
          <div class="figure-main">
            <dt>{text.available}</dt>
            <dd>{formatFigure(available)}</dd>
          </div>
        ) : (
          <div class="figure-main figure-text">
            <dt>{text.publicCode}</dt>
            <dd>{book.publicCode}</dd>
          </div>
        )}
        <div>
          <dt>{text.assigned}</dt>
          <dd>{formatFigure(assigned)}</dd>
        </div>
        <div>
          <dt>{text.redemptions}</dt>
          <dd>{formatFigure(redemptions)}</dd>
        </div>
      </dl>
      {isMoving && <LastDay bookId={book.id} isSeen={isSeen} asOf={asOf} />}
      {!isPublic && (
        <div class="card-meter">
          <meter class="meter" min={0} max={1} value={share} aria-labelledby={words} />
          <p class="muted card-foot" id={words}>
            {codes === 0 ? text.noneYet : (voided === 0 ? text.givenShare : text.goneShare)(shownShare(share))}
          </p>
        </div>
      )}
      <p class="muted card-foot">{endOf(book)}</p>
    </li>
  );
}

/** Not all of it as long as something is left. */
function shownShare(share: number): string {
  return formatShare(share < 1 ? Math.min(share, 0.99) : 1);
}

/** When the book ends or ended, in a few words. */
function endOf({ endsAt, timeZone }: Book): string {
  const text = messages().overview;
  if (endsAt === null) return text.openEnd;
  return (isOver(endsAt, Date.now()) ? text.endedOn : text.endsOn)(momentOf(endsAt, timeZone));
}

/** With the place whose clocks they are, where those are others than the viewer's. */
function momentOf(at: string, zone: string): string {
  const there = formatMoment(at, zone);
  return there === formatMoment(at, viewerZone()) ? there : messages().common.inZone(there, placeOf(zone));
}

/** There may be many cards. */
const lastDayMillis = 15_000;

/** What was redeemed in the last 24 hours, read when the card is first seen, and when more was redeemed since. */
function LastDay({ bookId, isSeen, asOf }: { bookId: string; isSeen: boolean; asOf: string | null }) {
  const wasSeen = useRef(false);
  wasSeen.current ||= isSeen;
  const from = useMemo(() => new Date(Date.now() - dayMillis).toISOString(), []);
  const path = `/v1/books/${bookId}/report?step=hour&from=${encodeURIComponent(from)}`;
  const { data } = useReport(wasSeen.current ? path : null, asOf, lastDayMillis);
  const since = new Date(Date.now() - dayMillis - hourMillis).toISOString();
  const values = (data?.data ?? []).filter(({ at }) => at > since).map(({ redeemed }) => redeemed);
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
