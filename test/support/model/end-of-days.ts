const dayMillis = 86_400_000;
const calendars = new Map<string, Intl.DateTimeFormat>();

/** The date of a moment on a zone's clocks, such as 2026-11-27: dates compare as their texts do. */
function dateIn(zone: string, millis: number): string {
  let calendar = calendars.get(zone);
  if (calendar === undefined) {
    calendar = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
    calendars.set(zone, calendar);
  }
  return calendar.format(millis);
}

/**
 * The end of the n-th day after the day of a moment, on a zone's clocks, as anybody would find it with a calendar and a
 * clock: the first millisecond that has a later date. It knows nothing of offsets and changes of clocks, unlike the
 * product, which computes with them.
 * @param moment RFC 3339; any other text is given back
 * @param zone one whose clocks do not go back over midnight about then, so that dates come in their order
 */
export function endOfDays(moment: string, days: number, zone: string): string {
  const from = Date.parse(moment);
  if (Number.isNaN(from)) return moment;
  const last = Date.parse(`${dateIn(zone, from)}T00:00:00.000Z`) + days * dayMillis;
  const lastDate = new Date(last).toISOString().slice(0, 10);
  let before = from;
  let after = from + (days + 3) * dayMillis;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (dateIn(zone, middle) > lastDate) after = middle;
    else before = middle;
  }
  return new Date(after).toISOString();
}
