import { countInEnglish as count } from '../../language/plurals.ts';

/** The first page. */
export const overview = {
  title: 'Overview',
  newBook: 'New book',
  filterLabel: 'Show',
  filters: { active: 'Active', draft: 'Drafts', paused: 'Paused', closed: 'Closed', all: 'All' },
  findLabel: 'Find a book by its name',
  findHint: 'Part of a name',
  attention: 'Needs attention',
  attentionOf: (n: number) => `Looked at the ${count(n, { one: 'newest active book', other: 'newest active books' })}.`,
  allWell: 'All is well: no active book runs out or ends soon.',
  exhausted: 'No codes left: nobody else can get one.',
  runningOut: (left: number, share: string) =>
    `${count(left, { one: 'code is', other: 'codes are' })} left, ${share} of all.`,
  ending: (distance: string, moment: string) => `Ends ${distance}: ${moment}.`,
  ended: (moment: string) => `Ended ${moment} and is still active: close it, or extend its end.`,
  noCodes: 'Active, and has no codes yet.',
  books: 'Books',
  available: 'left',
  assigned: 'given out',
  redemptions: 'redeemed',
  givenShare: (share: string) => `${share} given out`,
  endsOn: (moment: string) => `ends ${moment}`,
  startsOn: (moment: string) => `starts ${moment}`,
  openEnd: 'no end set',
  emptyTitle: 'Your first book',
  empty:
    'A book is a campaign: its rules, its codes, and everything that becomes of them. Make one, put codes into it, and give them out.',
  emptySteps: [
    'Make a book and say when it runs and how often a code may be used.',
    'Put codes into it: let them be generated, or bring a spreadsheet.',
    'Give them out by the API or from a list of users, and watch it here.',
  ].join('\n'),
  noneFound: 'No book is like this.',
  noneFoundHint: 'Choose another filter, or look for another part of the name.',
  newTitle: 'New book',
  create: 'Make the book',
  creating: 'Making it…',
  created: (name: string) => `The book “${name}” is there.`,
  createActive: 'Active from the start',
  createActiveHelp: 'Else it is a draft, which you activate when everything is ready.',
};
