import type { CouponEvent } from '../../calls/types.ts';
import { formatBeside, formatExactMoment, formatNumber, placeOf } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { actorName } from '../../parts/actor-name.ts';

/** What happened to a coupon, in sentences, the latest first. */
export function CodeStory({
  events,
  zone,
  keys,
}: {
  events: readonly CouponEvent[];
  zone: string;
  /** The names of API keys, by id, as far as whoever looks may see them. */
  keys: ReadonlyMap<string, string>;
}) {
  const text = messages().code;
  if (events.length === 0) return <p class="muted">{text.storyEmpty}</p>;
  return (
    <>
      <p class="table-note">{messages().common.timesOf(placeOf(zone))}</p>
      <ol class="story" reversed>
        {[...events].reverse().map((event) => (
          <li key={event.rev}>
            <p dir="auto">{sentenceOf(event, zone)}</p>
            <WhenAndWho at={event.at} zone={zone} who={text.who(actorName(event.actor, keys))} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** To the second on the book's clocks, which are named above the story; on the viewer's beside, if others. */
function WhenAndWho({ at, zone, who }: { at: string; zone: string; who: string }) {
  const here = formatBeside(at, zone, true);
  return (
    <p class="muted">
      <time dateTime={at}>{formatExactMoment(at, zone)}</time> · {who}
      {here !== null && (
        <>
          {' '}
          <span class="viewer-time">{messages().common.viewerTime(here)}</span>
        </>
      )}
    </p>
  );
}

/** An event in a sentence, with the reason that was given for it. */
export function sentenceOf({ kind, userId, data }: CouponEvent, zone: string): string {
  const { events, erasedUser } = messages().code;
  const told = (name: string) => (typeof data[name] === 'string' && data[name] !== '' ? data[name] : null);
  const because = (sentence: string) => {
    const reason = told('reason');
    return reason === null ? sentence : `${sentence} ${events.because(reason)}`;
  };
  const until = () => {
    const at = told('lockedUntil');
    return at === null ? '–' : formatExactMoment(at, zone);
  };
  switch (kind) {
    case 'assigned':
      return events.assigned(userId ?? erasedUser);
    case 'locked':
      return events.locked(until());
    case 'lock-renewed':
      return events.lockRenewed(until());
    case 'unlocked': {
      const reason = told('reason');
      return reason === null ? events.unlocked : events.forced(reason);
    }
    case 'redeemed': {
      const seq = formatNumber(Number(data['seq'] ?? 0));
      const reference = told('reference');
      return reference === null ? events.redeemedBare(seq) : events.redeemed(seq, reference);
    }
    case 'reversed':
      return because(events.reversed);
    case 'voided':
      return because(events.voided);
    case 'transferred':
      return because(events.transferred(told('fromUserId') ?? erasedUser, told('toUserId') ?? erasedUser));
  }
}
