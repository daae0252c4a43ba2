import type { MovedDeck, RestoreReport } from './after-restore.ts';
import type { FurthestMarks } from './read-deck-marks.ts';

const number = new Intl.NumberFormat('en');
const share = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });

/** Tells what the marks cover, and where they have gaps. */
export function printMarks(files: string[], marks: FurthestMarks | null, margin: number): void {
  if (marks === null) {
    console.log(`No marks: ${number.format(margin)} codes of each deck are all that is passed.`);
    return;
  }
  const { lines, unnumbered, from, to, holes } = marks;
  console.log(`Marks: ${number.format(lines)} lines in ${files.join(', ')}, from ${from ?? '?'} to ${to ?? '?'}.`);
  console.log('They must reach from the moment to which the database went back up to the failure.');
  if (unnumbered > 0) {
    console.log(`${number.format(unnumbered)} of them are of a version that marked once a second.`);
  }
  for (const hole of holes) {
    const what = hole.missing === 0 ? 'no line' : `${number.format(hole.missing)} lines are missing`;
    const millis = hole.from === null || hole.to === null ? Number.NaN : Date.parse(hole.to) - Date.parse(hole.from);
    const length = Number.isNaN(millis) ? '' : ` (${(millis / 1_000).toFixed(1)} s)`;
    console.log(`GAP: ${what} of task ${hole.task} between ${hole.from ?? '?'} and ${hole.to ?? '?'}${length}.`);
  }
  const lost = holes.some(({ missing }) => missing > 0);
  if (lost) console.log('What was taken by name in a gap is not known, and may be handed out again.');
  console.log(`Margin: ${number.format(margin)} codes of each deck beyond its mark.`);
}

/** Tells by book and deck what was done, or would be. */
export function printRestoreReport(
  { pausedBooks, decks, patterns, lostDecks }: RestoreReport,
  tense: 'would be' | 'were',
): void {
  for (const id of pausedBooks)
    console.log(`book ${id}: active, ${tense === 'were' ? 'is paused now' : 'would be paused'}`);
  for (const [bookId, ofBook] of Map.groupBy(decks, (deck) => deck.bookId)) {
    console.log(`\nbook ${bookId}`);
    for (const deck of ofBook) console.log(`  ${describeDeck(deck)}`);
  }
  for (const { template, from, to } of patterns) {
    console.log(`pattern ${template}: from ${number.format(from)} to ${number.format(to)}`);
  }
  for (const deck of lostDecks) console.log(`deck ${deck} (tenant/internal id) was added after the backup and is gone`);
  const voided = sum(decks.map((deck) => deck.voided));
  const size = sum(decks.map((deck) => deck.size));
  const byMargin = sum(decks.map((deck) => deck.voidedByMargin));
  console.log(
    `\nTotal: ${number.format(voided)} codes ${tense} voided in ${decks.length} decks (${share.format(size === 0 ? 0 : voided / size)} of their ${number.format(size)}), ${number.format(byMargin)} of them by the margin alone; ${pausedBooks.length} books ${tense} paused.`,
  );
}

function describeDeck({ deckId, from, to, size, voided, voidedByMargin }: MovedDeck): string {
  const where = `from ${number.format(from)} to ${number.format(to)} of ${number.format(size)}`;
  const margin = voidedByMargin === 0 ? '' : `, ${number.format(voidedByMargin)} of them by the margin`;
  const whole = to === size ? '; nothing is left of it' : '';
  return `deck ${deckId}: ${where}: ${number.format(voided)} codes voided (${share.format(voided / size)})${margin}${whole}`;
}

function sum(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
