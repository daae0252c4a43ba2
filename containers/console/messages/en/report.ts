/** What happened in a book, hour by hour or day by day. */
export const report = {
  title: 'Activity',
  step: 'By the',
  steps: { hour: 'Hour', day: 'Day' },
  stepTitles: { hour: 'Hour from', day: 'Day' },
  span: 'Over the last',
  caption: (assigned: string, redeemed: string, from: string, zone: string) =>
    `${assigned} given out and ${redeemed} redeemed since ${from}. Times are those of ${zone}.`,
  assigned: 'Given out',
  locked: 'Locked',
  redeemed: 'Redeemed',
  reversed: 'Given back',
  voided: 'Voided',
  settled: (moment: string) => `Counted up to ${moment}.`,
  nothing: 'Nothing happened in this time.',
  spark: (redeemed: string) => `${redeemed} redeemed in the last 24 hours`,
};
