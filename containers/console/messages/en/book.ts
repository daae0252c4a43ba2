/** The page of a book. */
export const book = {
  tabs: 'Parts of the book',
  numbers: 'Numbers',
  rules: 'Rules',
  decks: 'Codes',
  codesInAll: 'Codes in all',
  available: 'Left',
  assigned: 'Given out',
  redemptions: 'Redeemed',
  voided: 'Void',
  asOf: (moment: string) => `As of ${moment}`,
  live: 'Live',
  window: 'Runs',
  from: (moment: string) => `from ${moment}`,
  until: (moment: string) => `until ${moment}`,
  always: 'without a set beginning or end',
  missing: 'There is no such book',
};
