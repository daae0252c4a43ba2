/** The page of a book. */
export const book = {
  title: 'Book',
  tabs: 'Parts of the book',
  numbers: 'Numbers',
  rules: 'Rules',
  decks: 'Codes',
  codesInAll: 'Codes in all',
  available: 'Left',
  assigned: 'Given out',
  redemptions: 'Redeemed',
  voided: 'Void',
  from: (moment: string) => `from ${moment}`,
  until: (moment: string) => `until ${moment}`,
  ended: 'Ended',
  endedOn: (moment: string) => `on ${moment}`,
  always: 'without a set beginning or end',
  nextCodes: 'There are no codes in this book yet, so nobody can get one.',
  goToCodes: 'Put codes into it',
  nextActivate:
    'This is a draft: nobody can get a code from it yet. When everything is ready, press Activate at the top.',
  nextActivateByAdmin: 'This is a draft: nobody can get a code from it until an administrator activates it.',
  missing: 'There is no such book',
};
