import { formatBeside, formatExactMoment, formatMoment, placeOf, viewerZone } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';

/**
 * A moment on the clocks of the book's zone, with the viewer's beside it where those show something else.
 * @param isExact to the second
 */
export function Moment({ at, zone, isExact = false }: { at: string; zone: string; isExact?: boolean }) {
  const words = messages().common;
  const there = (isExact ? formatExactMoment : formatMoment)(at, zone);
  const here = formatBeside(at, zone, isExact);
  return (
    <time dateTime={at} class="moment">
      {words.inZone(there, placeOf(zone))}
      {here !== null && (
        <>
          {' '}
          <span class="muted">
            <span class="dot">· </span>
            {words.viewerTime(here)}
          </span>
        </>
      )}
    </time>
  );
}

/** The same in as few words as go: the book's clocks alone, with everything on pointing at it. */
export function ShortMoment({ at, zone }: { at: string; zone: string }) {
  const words = messages().common;
  const full = `${words.inZone(formatExactMoment(at, zone), zone)} · ${words.viewerTime(formatExactMoment(at, viewerZone()))}`;
  return (
    <time dateTime={at} title={full}>
      {formatMoment(at, zone)}
    </time>
  );
}

/**
 * A moment in a list whose rows are of several books: on the clocks of its own book's zone, which is named, with the
 * viewer's below. Where the book can't be known, on the viewer's clocks, whose zone is named as well.
 */
export function RowMoment({ at, zone = viewerZone() }: { at: string; zone?: string | undefined }) {
  const words = messages().common;
  const here = formatBeside(at, zone, false);
  return (
    <time dateTime={at} class="row-moment">
      <span>{formatMoment(at, zone)}</span> <span class="muted">({placeOf(zone)})</span>
      {here !== null && (
        <>
          {' '}
          <span class="muted viewer-time">{words.viewerTime(here)}</span>
        </>
      )}
    </time>
  );
}
