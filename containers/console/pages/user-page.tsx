import { useState } from 'preact/hooks';
import { address, changeQuery, goTo, linkTo, part } from '../address/address.ts';
import type { Parameters } from '../address/match-path.ts';
import { call } from '../calls/call.ts';
import { isAdmin } from '../calls/session.ts';
import type { Coupon } from '../calls/types.ts';
import { useBooks } from '../calls/use-books.ts';
import { type LoadedList, useList } from '../calls/use-load.ts';
import { formatNumber } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { BookLink } from '../parts/book-link.tsx';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { SelectField } from '../parts/field.tsx';
import { GiveCode } from '../parts/give-code.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { notify } from '../parts/live.tsx';
import { Page } from '../parts/page.tsx';
import { StandingBadge, standingOf } from '../parts/standing.tsx';
import { RowMoment } from '../parts/time.tsx';

const statuses = ['assigned', 'locked', 'redeemed', 'voided'] as const;

/** A user: every coupon that they have, and the erasure of what is known of them. */
export function UserPage({ userId = '' }: Parameters) {
  const text = messages();
  const [isErasing, setErasing] = useState(false);
  const asked = address.value.query.get('status');
  const status = statuses.find((one) => one === asked) ?? '';
  const coupons = useList<Coupon>(
    `/v1/users/${part(userId)}/coupons?limit=50${status === '' ? '' : `&status=${status}`}`,
  );
  // Nothing is there to be chosen from, and perhaps nobody of that name.
  const isUnknown = status === '' && coupons.items?.length === 0;
  return (
    <Page
      title={text.user.title(userId)}
      actions={
        <>
          <GiveCode userId={userId} onGiven={() => void coupons.reload()} />
          {isAdmin() && (
            <Button kind="caution" onClick={() => setErasing(true)}>
              {text.common.asking(text.user.erase)}
            </Button>
          )}
        </>
      }
    >
      {!isUnknown && (
        <div class="section-head">
          <SelectField
            label={text.user.filter}
            value={status}
            onValue={(value) => changeQuery({ status: value })}
            options={[
              ['', text.user.all],
              ...statuses.map(
                (one) => [one, one === 'assigned' ? text.user.notUsedUp : text.code.statuses[one]] as const,
              ),
            ]}
          />
          <a href={linkTo('/redemptions', { userId })}>{text.user.redemptions}</a>
        </div>
      )}
      <CouponTable coupons={coupons} isFiltered={status !== ''} />
      {isErasing && <EraseUser userId={userId} isUnknown={isUnknown} onClose={() => setErasing(false)} />}
    </Page>
  );
}

/** @param isFiltered by a state: there may be others */
function CouponTable({ coupons, isFiltered }: { coupons: LoadedList<Coupon>; isFiltered: boolean }) {
  const text = messages();
  const books = useBooks((coupons.items ?? []).map(({ bookId }) => bookId));
  const zoneOf = ({ bookId }: Coupon) => books.get(bookId)?.timeZone;
  return (
    <ListTable
      caption={text.user.coupons}
      list={coupons}
      keyOf={({ code }) => code}
      empty={
        isFiltered ? (
          <EmptyState title={text.user.emptyInState} />
        ) : (
          <EmptyState title={text.user.empty}>
            <p>{text.user.emptyHint}</p>
          </EmptyState>
        )
      }
      columns={[
        {
          title: text.user.code,
          isHead: true,
          cell: ({ code }) => (
            <a class="unbroken" href={linkTo(`/codes/${part(code)}`)}>
              {code}
            </a>
          ),
        },
        {
          title: text.code.book,
          cell: ({ bookId }) => <BookLink id={bookId} name={books.get(bookId)?.name} />,
        },
        {
          title: text.user.status,
          cell: (coupon) => {
            const found = { status: coupon.status, coupon };
            // What it is worth hangs on its book too.
            if (!books.has(coupon.bookId)) return <span class="loading">…</span>;
            const standing = standingOf(found, books.get(coupon.bookId) ?? null);
            return <StandingBadge found={found} standing={standing} />;
          },
        },
        {
          title: text.user.used,
          isNumber: true,
          cell: ({ redemptions, maxRedemptions }) =>
            maxRedemptions === null
              ? text.user.uses(redemptions)
              : text.code.usedOf(formatNumber(redemptions), formatNumber(maxRedemptions)),
        },
        {
          title: text.user.assignedAt,
          cell: (coupon) =>
            coupon.assignedAt !== null &&
            books.has(coupon.bookId) && <RowMoment at={coupon.assignedAt} zone={zoneOf(coupon)} />,
        },
        {
          title: text.user.expiresAt,
          cell: (coupon) =>
            coupon.expiresAt === null
              ? text.code.never
              : books.has(coupon.bookId) && <RowMoment at={coupon.expiresAt} zone={zoneOf(coupon)} />,
        },
      ]}
    />
  );
}

/**
 * Asks for a user's id before what is known of the user is erased. An id without a coupon may still stand in what the
 * page does not show.
 */
function EraseUser({ userId, isUnknown, onClose }: { userId: string; isUnknown: boolean; onClose: () => void }) {
  const text = messages().user;
  return (
    <Confirm
      title={text.eraseTitle}
      action={text.erase}
      kind="danger"
      typed={userId}
      send={() => call('DELETE', `/v1/users/${part(userId)}`)}
      onDone={() => {
        goTo(linkTo('/'));
        notify(messages().user.erased);
      }}
      onClose={onClose}
    >
      <p>{isUnknown ? text.eraseUnknownText : text.eraseText}</p>
    </Confirm>
  );
}
