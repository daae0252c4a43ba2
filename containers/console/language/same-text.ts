/** Whether somebody has typed a text that was asked for. Capitals, and blanks around and between, do not matter. */
export function isSameText(typed: string, wanted: string): boolean {
  return plain(typed) === plain(wanted);
}

function plain(text: string): string {
  return text.normalize('NFC').trim().replaceAll(/\s+/g, ' ').toLowerCase();
}
