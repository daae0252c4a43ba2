/** What spreadsheets take for the beginning of a formula: OWASP's list, with its full-width and small twins. */
const formula = '[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]';
/** What a spreadsheet may drop before it looks: white space, controls, marks of direction and of zero width. */
const unseen = '[\\p{Cc}\\p{Cf}\\p{Z}]';
/** At the beginning, and behind what another spreadsheet's list separator would make a cell of its own. */
const runnable = new RegExp(`(^|[;\\t\\r\\n|])(?=[\\t\\r\\n]|${unseen}{0,128}${formula})`, 'gu');

/**
 * A text of a stranger's as a cell of a CSV file (RFC 4180) that is opened in a spreadsheet. An apostrophe stands in
 * front of what would be run as a formula (OWASP, "CSV Injection"); whatever holds a separator of any country's is
 * quoted.
 * @param text at most some hundred characters
 */
export function csvCell(text: string): string {
  const harmless = text.replace(runnable, "$1'");
  return /[",;\t\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
