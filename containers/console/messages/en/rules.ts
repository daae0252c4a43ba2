import { countInEnglish as count } from '../../language/plurals.ts';

/** Changing a book. */
export const rules = {
  save: 'Look at the changes…',
  nothingChanged: 'Nothing is changed yet.',
  previewTitle: 'What this changes',
  apply: 'Change the book',
  changed: 'The book is changed.',
  fromTo: (label: string, before: string, after: string) => `${label}: ${before}\u00A0→ ${after}`,
  noLimit: 'no limit',
  status: 'State',
  notSet: 'not set',
  untilBookEnds: 'until the book ends',
  atOnce: 'at once',
  readOnly: 'Only an administrator may change a book.',
  closedNote: 'This book is closed. Its rules are as they were at the end.',
  conflictTitle: 'Somebody else has changed this book in the meantime',
  conflictIntro: 'This is what they changed:',
  conflictKept: 'What you typed is still here.',
  conflictAgain: 'If you still want to do it, press the button again.',
  conflictNothing: 'Its rules are what they were; something else about it was changed.',
  conflictGoOn: 'Keep mine on top of it',
  meaning: {
    name: 'Nothing changes for users.',
    publicCode: 'Whoever brings this code gets a coupon of their own, once the book is active.',
    timeZone:
      'No time that is set moves. Days to use a coupon are counted on the new clocks for coupons given out from now on.',
    startsAt: 'This holds for every coupon, those already given out too.',
    endsAt:
      'This holds for every coupon, those already given out too. Coupons whose own days end earlier keep that end.',
    endsAtPast: 'This moment is over: nothing can be given out or used from now on.',
    maxCodesPerUserRaised: 'Users who had reached the limit can get more from now on.',
    maxCodesPerUser: 'Users who have more keep what they have, and get no more.',
    maxRedemptionsPerCode: (out: number) =>
      `For coupons given out from now on. The ${count(out, { one: 'coupon', other: 'coupons' })} already out ${out === 1 ? 'keeps' : 'keep'} what they were given with.`,
    maxRedemptionsPerUser: 'What each user has redeemed so far counts.',
    maxRedemptions: (used: number, left: number) =>
      `${count(used, { one: 'redemption', other: 'redemptions' })} so far: ${count(left, { one: 'more is', other: 'more are' })} possible.`,
    maxRedemptionsReached: (used: number) =>
      `There are ${count(used, { one: 'redemption', other: 'redemptions' })} already: none is possible any more.`,
    maxRedemptionsOpen: 'The book as a whole has no limit then.',
    validForDays: 'For coupons given out from now on. Those already out keep their own end.',
    lockTtlSeconds: 'For locks taken from now on that name no time of their own.',
    requireLockOn: 'Checkouts that redeem without a lock are refused from now on.',
    requireLockOff: 'Checkouts may redeem without a lock from now on.',
    selfServiceOn: 'Customers may take a code by themselves from now on.',
    selfServiceOff: 'Customers can take no code by themselves any more. What they have stays.',
  },
  activate: 'Activate',
  activateTitle: 'Activate this book',
  activateText: (codes: number) =>
    `${count(codes, { one: 'code', other: 'codes' })} can be given out from now on, and used within the book’s time.`,
  activatePublic: (code: string) =>
    `Whoever brings ${code} gets a coupon of their own from now on, within the book’s time.`,
  endedText: (moment: string, place: string) =>
    `Its end has passed: ${moment} (${place}). Nobody can be given a code or redeem one until you move the end.`,
  pause: 'Pause',
  pauseTitle: 'Pause this book',
  pauseText: 'At once nothing can be given out, locked or used. What users have stays, and you can resume at any time.',
  resume: 'Resume',
  resumeTitle: 'Resume this book',
  resumeText: 'Coupons can be given out and used again, within the book’s time.',
  close: 'Close',
  closeAction: 'Close for good',
  closeButton: 'Close…',
  closeTitle: 'Close this book for good',
  closeText: (left: number) =>
    `${count(left, { one: 'code that is', other: 'codes that are' })} left can’t be given out any more.`,
  closePublic: (code: string) => `Nobody gets a coupon for ${code} any more.`,
  closeOut: (out: number) =>
    `${count(out, { one: 'coupon was', other: 'coupons were' })} given out: what is not used up by now can’t be used any more.`,
  closeFinal: 'A closed book is never opened again.',
  extend: 'Extend the end…',
  extendAction: 'Move the end',
  extendTitle: 'Extend the end',
  extendLabel: 'New end',
  shortens: 'This is earlier than the end that is set now: coupons already given out end earlier too.',
  extendText: 'It holds for coupons already given out, too.',
  statusChanged: { active: 'The book is active.', paused: 'The book is paused.', closed: 'The book is closed.' },
};
