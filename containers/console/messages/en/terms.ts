/** The rules of a book, each with what it means for the people who get its coupons. */
export const terms = {
  groups: {
    basics: 'The book',
    time: 'When it runs',
    limits: 'How much there is',
    locks: 'At the checkout',
  },
  name: { label: 'Name', help: 'Only your team sees it.' },
  description: { label: 'Notes', help: 'For your team: what the campaign is for, and who asked for it.' },
  publicCode: {
    label: 'Public code',
    help: 'One code for everybody, such as SUMMER20: whoever brings it gets a coupon of their own, one per user. It can be changed only while the book is a draft, and needs no codes: they are made for it.',
  },
  timeZone: {
    label: 'Time zone',
    help: 'Days and times of this book are those of the clocks there. A change moves no time that is set.',
  },
  here: (moment: string) => `On your clock: ${moment}.`,
  startsAt: {
    label: 'Starts',
    help: 'From then on coupons can be used. They can be given out before. Empty: at once.',
  },
  endsAt: {
    label: 'Ends',
    help: 'From then on nothing can be given out or used. Empty: it ends when you close it.',
  },
  endPast: 'This moment has passed: nobody can be given a code or redeem one.',
  endNotAfterStart: 'The end must come after the start.',
  maxCodesPerUser: {
    label: 'Codes per user',
    help: 'How many coupons one user may hold, used ones included. Empty: no limit.',
  },
  maxRedemptionsPerCode: {
    label: 'Uses per code',
    help: 'How often each coupon can be redeemed. A change counts for coupons given out after it. Empty: no limit.',
  },
  maxRedemptionsPerUser: {
    label: 'Uses per user',
    help: 'How often one user may redeem, with all their coupons of this book together. Empty: no limit.',
  },
  maxRedemptions: {
    label: 'Uses in total',
    help: 'After this many redemptions nothing more is redeemed, whatever codes are left. Empty: no limit.',
  },
  validForDays: {
    label: 'Days to use a coupon',
    help: 'A coupon ends at the end of the day, this many days after it was given out. Empty: it ends with the book.',
  },
  lockTtlSeconds: {
    label: 'A lock lasts (seconds)',
    help: 'A checkout may hold a coupon while its customer pays. After this time the hold ends by itself.',
  },
  requireLock: {
    label: 'Only with a lock',
    help: 'Each checkout must then hold a coupon before it redeems it, so that no two can use one coupon at a time.',
  },
  selfService: {
    label: 'Customers may take a code themselves',
    help: 'Your app may then give a code to a customer who is signed in, with nobody of your team in between.',
  },
};
