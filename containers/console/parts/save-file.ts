import { language } from '../language/language.ts';

/** Has the browser save something that the page made. */
export function saveFile(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // Later: a browser may begin to read it after this.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Rows as CSV for spreadsheet programs, which would run a cell that begins like a formula: those get a quote before.
 */
export function csvOf(rows: readonly (readonly (string | number)[])[]): Blob {
  // Where a comma stands before decimals, spreadsheet programs want semicolons between cells. An upload takes both.
  const separator = language.value === 'es' ? ';' : ',';
  const lines = rows.map((row) => row.map(cellOf).join(separator));
  // The mark by which spreadsheet programs know that it is UTF-8.
  return new Blob([`\uFEFF${lines.join('\r\n')}\r\n`], { type: 'text/csv;charset=utf-8' });
}

function cellOf(value: string | number): string {
  const text = String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",;\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
