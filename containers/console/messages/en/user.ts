import { countInEnglish as count } from '../../language/plurals.ts';

/** A user: coupons, and erasure. */
export const user = {
  title: (id: string) => `User ${id}`,
  coupons: 'Coupons',
  redemptions: 'What this user redeemed',
  empty: 'No coupons are known for this id',
  emptyHint: 'Nobody with exactly this id has been given a code. Upper and lower case matter in a user’s id.',
  emptyInState: 'No coupon is in this state',
  code: 'Code',
  status: 'State',
  used: 'Used',
  assignedAt: 'Given',
  expiresAt: 'Ends',
  filter: 'Show',
  all: 'All states',
  erase: 'Erase this user',
  eraseTitle: 'Erase this user’s data?',
  eraseText:
    'The id and every text about this person go, for good. Numbers and codes stay, without a name. If the same id comes again, it is a new user.',
  /** Of an id of which no coupon is known. */
  eraseUnknownText:
    'No coupon of this id is known now. The id may still stand in the story of a code that went to somebody else, or in the file of a job: there it is erased, for good.',
  erased: 'The user’s data is being erased.',
  /** A filter: the badge of such a coupon may say that its book is paused. */
  notUsedUp: 'Given out, not used up',
  uses: (n: number) => count(n, { one: 'use', other: 'uses' }),
};
