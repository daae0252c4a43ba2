import { isOperator } from '../calls/session.ts';
import type { Book, CodeLookUp } from '../calls/types.ts';
import { type Messages, messages } from '../messages/messages.ts';
import { Badge, type Tone } from './badge.tsx';

/** A code, or a coupon beside its own state. */
export type Judged = Pick<CodeLookUp, 'status' | 'coupon'>;

const tones: Record<CodeLookUp['status'], Tone> = {
  available: 'quiet',
  assigned: 'good',
  locked: 'warning',
  redeemed: 'quiet',
  voided: 'danger',
};

/** A code that its state would let anybody use, and that is refused all the same. */
export function RefusedBadge() {
  return <Badge tone="warning">{messages().code.refused}</Badge>;
}

/** The state of a code; of one that somebody has and that its book or its own time lets nobody use, that. */
export function StandingBadge({ found, standing }: { found: Judged; standing: Standing }) {
  const { statuses, hindrances, orphaned } = messages().code;
  const { status } = found;
  if (isOrphan(found)) return <Badge tone="quiet">{orphaned}</Badge>;
  if (status !== 'assigned' || !(standing in hindrances)) return <Badge tone={tones[status]}>{statuses[status]}</Badge>;
  const isPassing = standing === 'draft' || standing === 'paused' || standing === 'notYet';
  return <Badge tone={isPassing ? 'warning' : 'quiet'}>{hindrances[standing as keyof typeof hindrances]}</Badge>;
}

/** Whether its user was erased while it could still be used: the API calls it by its state, but nobody has it. */
function isOrphan({ status, coupon }: Judged): boolean {
  return coupon !== null && coupon.userId === null && (status === 'assigned' || status === 'locked');
}

/** What a code may be worth: each has its sentence. */
export type Standing = keyof Messages['code']['now'];

/** What the code is worth now. @param book null: it is not known, and does not count */
export function standingOf(found: Judged, book: Book | null): Standing {
  const { status, coupon } = found;
  if (isOrphan(found)) return isOperator() ? 'orphaned' : 'orphanedShort';
  if (status === 'locked' && !isOperator()) return 'lockedShort';
  // A code that is made void by itself has a coupon from then on.
  if (status === 'voided' && coupon === null) return 'voidedUnheld';
  if (status !== 'assigned' && status !== 'available') return status;
  const time = Date.now();
  const isPast = (at: string | null | undefined) => at != null && Date.parse(at) <= time;
  if (book !== null && book.status !== 'active') return book.status;
  if (isPast(book?.endsAt)) return 'ended';
  if (isPast(coupon?.expiresAt)) return 'expired';
  if (book?.startsAt != null && !isPast(book.startsAt)) return 'notYet';
  return status === 'available' && !isOperator() ? 'availableShort' : status;
}
