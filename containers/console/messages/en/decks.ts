import { countInEnglish as count } from '../../language/plurals.ts';

/** The codes of a book: its decks, and how more come. */
export const decks = {
  listTitle: 'What is in the book',
  kind: 'Codes',
  kinds: { generated: 'Generated', uploaded: 'From a file' },
  addedAt: 'Added',
  size: 'In all',
  dealt: 'Ever given out',
  left: 'Left',
  voided: 'Void, never given',
  /** Above the button that does it, and when it was done. */
  voiding: 'Voiding',
  madeVoid: 'Made void',
  publicStock: (code: string) =>
    `Nothing has to be put in here: whoever brings ${code} gets a coupon with a code of its own, and these never run out. To stop that, pause or close the book.`,
  publicDeals: (code: string) =>
    `Whoever brings ${code} gets one of these codes. When none is left, nobody else gets a coupon.`,
  empty: 'No codes yet',
  emptyHint: 'Let codes be generated, or bring a file with yours. Until then nobody can get one.',
  generateTitle: 'Generate codes',
  generateIntro: 'Any number, at once. They can’t repeat, and nobody can guess the next.',
  count: { label: 'How many', help: 'One to ten billion.' },
  pattern: {
    label: 'How a code looks',
    help: 'Each # becomes a letter or a digit; the rest stays. Six # are safe for a hundred codes, eight for a hundred thousand.',
  },
  digitsOnly: { label: 'Digits only', help: 'Easier to say on the phone, and easier to guess: take some more #.' },
  allowGuessable: {
    label: 'Also where a guess is likelier than one in a million',
    help: 'Only for codes that are worth little.',
  },
  generate: 'Generate',
  generating: 'Generating…',
  generated: (n: number, example: string, odds: string) =>
    `${count(n, { one: 'code is', other: 'codes are' })} in the book. They look like ${example}. One guess in ${odds} is right.`,
  uploadTitle: 'Bring codes from a file',
  uploadIntro: 'A spreadsheet saved as CSV, or a text file with one code a line.',
  uploadLabel: 'File with codes',
  uploadHelp:
    'The codes are in the column called “code”, or one a line. A code has 4 to 64 letters from A to Z, digits, hyphens and underscores. Rows without such a code are left out, and listed for you.',
  spreadsheet: 'This is a spreadsheet program’s own file. Save it as CSV there, and bring that.',
  notChosen: 'Choose a file first.',
  header: 'The first line',
  headers: { auto: 'Find out from the file', present: 'Is a heading', none: 'Is a code' },
  upload: 'Send the file',
  cancelUpload: 'Stop sending',
  stopped: 'Stopped. Whether the file was taken, the list above shows.',
  uploaded: (n: number) => `${count(n, { one: 'code is', other: 'codes are' })} in the book now.`,
  nothingTaken: 'No code was added.',
  /** @param duplicates how many of them are codes that were there already; null: none */
  rejected: (n: number, duplicates: string | null) =>
    `${count(n, { one: 'row was', other: 'rows were' })} not taken${duplicates === null ? '' : `, ${duplicates} of them because the code stands in the file twice or was there before`}.`,
  rejectionsTitle: 'Rows that were not taken',
  rejectionsShown: (n: number) => `The first ${count(n, { one: 'row', other: 'rows' })}`,
  line: 'Line',
  code: 'What stood there',
  reason: 'Why',
  downloadRejections: 'Download them as a spreadsheet',
  unreadable: 'Has a character that can’t be read. Save the file as “CSV\u00A0UTF\u20118”, and bring it again.',
  reasons: {
    'broken-line': 'The line can’t be read, or has no code in it.',
    'line-too-long': 'The line is too long.',
    heading: 'This is what a column of codes is called, not a code.',
    'wrong-column-count': 'The line has more columns than the heading, or fewer.',
    'code-too-short': 'Shorter than 4 characters.',
    'code-too-long': 'Longer than 64 characters.',
    'code-has-invalid-character': 'Has a character other than letters from A to Z, digits, hyphens and underscores.',
    'belongs-to-pattern': 'A code that is generated could be the same.',
    'duplicate-in-file': 'Stands in the file twice.',
    'duplicate-in-book': 'Is in this book already.',
    'duplicate-in-another-book': 'Is in another book already.',
  },
  voidTitle: 'Void the codes that are left',
  voidAction: 'Void them',
  voidButton: 'Void what is left…',
  voidButtonOf: (what: string) => `Void what is left of: ${what}`,
  voidText: (n: number) =>
    `${count(n, { one: 'code that nobody has been given becomes', other: 'codes that nobody has been given become' })} void at once, for good. Do it when codes have leaked.`,
  voidKept: 'Coupons that users have already stay as they are.',
  voidReason: { label: 'Reason', help: 'It is shown in this list, and with each code that goes void by it.' },
  voidedNow: (n: number) => `${count(n, { one: 'code is', other: 'codes are' })} void.`,
  /** @param called what its upload called itself, or its pattern; null: nothing */
  deckName: (kind: string, called: string | null, moment: string) =>
    called === null ? `${kind}, ${moment}` : `${kind}, ${called}, ${moment}`,
};
