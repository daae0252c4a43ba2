import { countInEnglish as count } from '../../language/plurals.ts';

/** Lists as files: short ones at once, long ones as jobs. */
export const exports = {
  title: 'Download',
  codes: 'Codes with their state',
  redemptions: 'Redemptions, for finance',
  hint: 'As CSV for a spreadsheet, complete, as of this moment. Times in it are UTC; redemptions have those of the book beside.',
  utc: 'Times in the file are UTC, with those of each book beside.',
  lookThrough: 'Look through the redemptions',
  exporting: (bytes: string) => `${bytes} so far…`,
  exported: 'The file is there.',
  stop: 'Stop',
  begun: 'The download has begun.',
  writing: 'The file is being written',
  waits: 'It waits for other work to end, and then is written.',
  soFar: (rows: string, of: string | number | null) =>
    of ? `${rows} of about ${of} rows are written…` : `${rows} rows are written so far…`,
  leave: 'You may leave this page: the file is then under',
  cancel: 'Cancel the export',
  cancelled: 'The export is cancelled.',
  failed: 'The file could not be written. Try it again; under Jobs stands why.',
  written: (rows: number) => `The file with ${count(rows, { one: 'row', other: 'rows' })} is written.`,
  again: 'Download it again',
};
