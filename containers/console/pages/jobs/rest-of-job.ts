/** Outcomes that a row keeps however often it is brought: it was done, or is none. */
const settled = new Set([
  'assigned',
  'voided',
  'coupon-void',
  'duplicate-in-file',
  'user-erased',
  'broken-line',
  'line-too-long',
  'wrong-column-count',
  'invalid-user-id',
  'invalid-count',
  'invalid-reason',
]);

/** What the API sets an apostrophe before, so that no spreadsheet runs it. */
const guarded = /(^|[;\t\r\n|])'(?=[\t\r\n=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212])/gu;

/**
 * The rows of a job that were not done, as a file for another one.
 * @param result of the job, as the API gives it: reasons that stood beside codes are not in it
 * @param reason for each code that is to be void; empty: none
 * @returns null where no row is left
 */
export function restOfJob(kind: 'assign' | 'void', result: string, reason = ''): string | null {
  const [heading = [], ...rows] = readCsv(result);
  const [name, outcome] = [heading.indexOf(kind === 'assign' ? 'userId' : 'code'), heading.indexOf('outcome')];
  /** How often each is wanted: a user may get several codes. */
  const left = new Map<string, number>();
  for (const row of rows) {
    const text = (row[name] ?? '').replace(guarded, '$1');
    if (text !== '' && !settled.has(row[outcome] ?? '')) left.set(text, (left.get(text) ?? 0) + 1);
  }
  if (left.size === 0) return null;
  const more = kind === 'void' && reason !== '' ? `,${cell(reason)}` : '';
  const lines = [...left].map(([text, count]) => `${cell(text)}${kind === 'assign' ? `,${count}` : more}`);
  const names = kind === 'assign' ? 'userId,count' : more === '' ? 'code' : 'code,reason';
  return `${[names, ...lines].join('\r\n')}\r\n`;
}

function cell(text: string): string {
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Reads CSV as the API writes it: RFC 4180. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let found = '';
  let isOpen = false;
  let last = '';
  for (const piece of text.split(/([",]|\r\n)/)) {
    if (piece === '') continue;
    if (piece === '"') {
      // One that follows upon another stands for itself.
      if (!isOpen && last === '"') found += '"';
      isOpen = !isOpen;
    } else if (isOpen || (piece !== ',' && piece !== '\r\n')) {
      found += piece;
    } else {
      row.push(found);
      found = '';
      if (piece !== ',') rows.push(row);
      if (piece !== ',') row = [];
    }
    last = piece;
  }
  return rows;
}
