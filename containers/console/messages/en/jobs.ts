import { countInEnglish as count } from '../../language/plurals.ts';

/** Work in the background. */
export const jobs = {
  title: 'Jobs',
  intro:
    'Long work goes on by itself: you may close this page, and each row is done once. What came of it is kept for seven days.',
  empty: 'No jobs yet',
  emptyHint:
    'Start one here: give codes to the users of a file, void the codes of a file, or have a long list written.',
  kind: 'What',
  kinds: {
    assign: 'Give codes to users',
    void: 'Make codes void',
    'export-codes': 'List of codes',
    'export-redemptions': 'List of redemptions',
  },
  book: 'Book',
  theBook: 'Its book',
  chooseBook: 'Choose a book',
  anyBook: 'All books',
  status: 'State',
  statuses: { queued: 'Waits', running: 'Runs', done: 'Done', failed: 'Failed', cancelled: 'Cancelled' },
  /** Of one that went to its end, and did nothing. */
  allRefused: 'All refused',
  /** Why each row would be refused. */
  givesNothing: {
    draft: 'This book is a draft and gives no codes: activate it first, or every row is refused.',
    paused: 'This book is paused and gives no codes: resume it first, or every row is refused.',
    closed: 'This book is closed for good: every row is refused.',
    ended: 'This book has ended and gives no codes: move its end first, or every row is refused.',
  },
  progress: 'How far',
  soFar: (done: string) => `${done} so far`,
  rows: (n: number) => count(n, { one: 'row', other: 'rows' }),
  of: (done: string, total: string) => `${done}\u00A0of\u00A0${total}`,
  /** Of one that ended before its end. */
  partly: (done: string, left: string) => `${done} done, ${left} not begun`,
  unwritten: (rows: number) => `No file: it stopped after ${count(rows, { one: 'row', other: 'rows' })}.`,
  refused: 'Refused',
  startedAt: 'Started',
  took: 'Took',
  actions: 'Actions',
  result: 'Download',
  resultOf: (name: string) => `Download what came of: ${name}`,
  again: 'Do the rest…',
  againOf: (name: string) => `Do the rest of: ${name}`,
  startAgain: 'Start again…',
  startAgainOf: (name: string) => `Start again: ${name}`,
  restChosen:
    'The file below has the rows of that job that were not done. Look first at why they were refused, and mend that: else they are refused again.',
  /** Before a sentence of the server's own, which is English. */
  serverSays: 'The server says:',
  restBrought: 'What that job left was brought before, and nothing was done again. The job that did it is in the list.',
  restNone: 'No row of that job is left that could be done. Download its result to see why.',
  restReason: {
    label: 'Reason',
    help: 'What a job leaves has no reasons any more. This one is kept with the story of each of these codes.',
  },
  restExport:
    'The list is written from its beginning, since what that job had written is not kept; and whole, even if that job was for a part of it.',
  cancel: 'Cancel…',
  cancelOf: (name: string) => `Cancel: ${name}`,
  cancelTitle: 'Cancel this job?',
  cancelText: (name: string, done: number) =>
    `${name}: ${count(done, { one: 'row is done and stays done', other: 'rows are done and stay done' })}. Nothing more is done.`,
  cancelNow: 'Cancel the job',
  cancelled: 'The job is cancelled.',
  newTitle: 'Start a job',
  files: {
    assign: {
      label: 'File of users',
      help: 'A spreadsheet saved as CSV, with a column “userId”. A column “count” may say how many codes each gets; else it is one.',
    },
    void: {
      label: 'File of codes',
      help: 'A spreadsheet saved as CSV, with a column “code”. A column “reason” may say why.',
    },
  },
  voidConfirm: 'I know that these codes can never be used again',
  voidUnconfirmed: 'Please confirm it first.',
  notChosen: 'Choose a file first.',
  bookMissing: 'Choose a book first.',
  stopped: 'Stopped. Whether the job was started, the list on this page shows.',
  starts: {
    assign: 'Give the codes',
    void: 'Make them void',
    'export-codes': 'Write the list',
    'export-redemptions': 'Write the list',
  },
  startedFor: {
    assign: (n: number) => `Started: ${count(n, { one: 'code is', other: 'codes are' })} to be given.`,
    void: (n: number) => `Started: ${count(n, { one: 'row', other: 'rows' })}.`,
  },
  exportStarted: 'Started. The list can be downloaded here when it is written.',
  byFile: 'Many at once, from a file',
  byFileHint:
    'A spreadsheet of users who each get a code, or of single codes that leaked. It goes on by itself, and you read what came of each row.',
  goAssign: 'Give codes to the users of a file',
  goVoid: 'Void the codes of a file',
};
