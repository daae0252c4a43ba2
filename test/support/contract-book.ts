/**
 * What a new book has where its request says nothing, as the contract tells it: written here a second time on purpose.
 */
export const contractTerms = {
  description: null,
  status: 'draft',
  publicCode: null,
  timeZone: 'UTC',
  startsAt: null,
  endsAt: null,
  maxCodesPerUser: null,
  maxRedemptionsPerCode: 1,
  maxRedemptionsPerUser: null,
  maxRedemptions: null,
  validForDays: null,
  lockTtlSeconds: 300,
  requireLock: false,
  selfService: false,
  metadata: {},
};
