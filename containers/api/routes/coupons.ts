import {
  type ErrorKind,
  LockInput,
  listCouponEvents,
  lockCoupon,
  PageRequest,
  ReasonInput,
  RedeemInput,
  readCoupon,
  redeemCoupon,
  TransferInput,
  transferCoupon,
  UnlockInput,
  unlockCoupon,
  ValidateInput,
  validateCoupon,
  voidCoupon,
} from '../../../core/index.ts';
import { couponUsers, operators } from '../auth/roles.ts';
import { Coupon, CouponEvent, LockedCoupon, RedeemedCoupon, Validation } from '../schemas/answers.ts';
import { CodePath, pageOf, ref } from '../schemas/common.ts';
import { type Api, routes } from './api.ts';

const holdKinds: ErrorKind[] = ['coupon-not-found', 'coupon-void', 'held-by-another-user'];
const lockKinds: ErrorKind[] = [
  ...holdKinds,
  'book-not-active',
  'book-outside-window',
  'coupon-expired',
  'code-locked',
  'lock-expired',
  'code-already-redeemed',
  'redemption-limit-reached',
  'user-limit-reached',
];

/** The routes of coupons, once they are in users' hands. */
export const couponRoutes = routes('coupon-routes', (app) => {
  addValidate(app);
  addLock(app);
  addUnlock(app);
  addRedeem(app);
  addTransfer(app);
  addVoid(app);
  addReads(app);
});

function addValidate(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/coupons/:code/validate',
    {
      config: {
        roles: couponUsers,
        ownUser: 'body',
        idempotent: false,
        looksUpCode: 'for-user',
        kinds: ['coupon-not-found'],
      },
      schema: {
        operationId: 'validateCoupon',
        summary: 'Ask whether a redeem would succeed now',
        description:
          'What a redeem with the same fields would say. Changes nothing, and promises nothing: a moment later it may be otherwise. A lock reserves the coupon, and the coupon only. By a public code it asks about the user’s own coupon of the book, or about the one that a redeem would deal first; it deals none.',
        tags: ['coupons'],
        params: CodePath,
        body: ValidateInput,
        response: { 200: ref(Validation) },
      },
    },
    ({ caller, params, body }) => validateCoupon(core, caller, params.code, body),
  );
}

function addLock(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/coupons/:code/lock',
    {
      config: {
        roles: couponUsers,
        ownUser: 'body',
        queue: 'changes',
        idempotent: true,
        looksUpCode: 'for-user',
        kinds: [...lockKinds, 'no-codes-left'],
      },
      schema: {
        operationId: 'lockCoupon',
        summary: 'Lock a coupon for a checkout, or renew the lock',
        description:
          'The `lockToken` of the answer grows with each grant and stays when a lock is renewed with it. A lock is refused where a redeem would be refused at that moment, for the same reasons and in the same order. It reserves the coupon for this checkout, and the coupon only: not a place in the book’s or the user’s limits, which others may use up before the redeem, and it promises nothing against a pause, a void or the end of the window. `lockedUntil` is never after `expiresAt`. By a public code the user’s own coupon of the book is locked, which is dealt in the same moment where the user has none.',
        tags: ['coupons'],
        params: CodePath,
        body: LockInput,
        response: { 200: ref(LockedCoupon) },
      },
    },
    ({ caller, params, body, keyed }) => lockCoupon(core, caller, params.code, body, keyed),
  );
}

function addUnlock(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/coupons/:code/unlock',
    {
      config: {
        roles: couponUsers,
        ownUser: 'body',
        queue: 'changes',
        idempotent: true,
        looksUpCode: 'for-user',
        kinds: [...holdKinds, 'code-locked', 'lock-expired', 'conflict'],
      },
      schema: {
        operationId: 'unlockCoupon',
        summary: 'Let a lock go, or end anybody’s',
        description:
          'Whoever has the lock’s token lets it go, with `userId` and `lockToken`. An operator or admin ends the live lock without them, whosever it is, with `force`: for a checkout that died with its token. Its event has the `reason`.',
        tags: ['coupons'],
        params: CodePath,
        body: UnlockInput,
        response: { 200: ref(Coupon) },
      },
    },
    ({ caller, params, body, keyed }) => unlockCoupon(core, caller, params.code, body, keyed),
  );
}

function addRedeem(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/coupons/:code/redeem',
    {
      config: {
        roles: couponUsers,
        ownUser: 'body',
        queue: 'changes',
        idempotent: true,
        looksUpCode: 'for-user',
        effect: 'redemption',
        kinds: [...lockKinds, 'lock-required', 'no-codes-left'],
      },
      schema: {
        operationId: 'redeemCoupon',
        summary: 'Redeem a coupon once',
        description:
          'Ends the lock, where there is one. By a public code the user’s own coupon of the book is redeemed, which is dealt in the same moment where the user has none; a redeem that is refused deals none.',
        tags: ['coupons'],
        params: CodePath,
        body: RedeemInput,
        response: { 200: ref(RedeemedCoupon) },
      },
    },
    ({ caller, params, body, keyed }) => redeemCoupon(core, caller, params.code, body, keyed),
  );
}

function addTransfer(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/coupons/:code/transfer',
    {
      config: {
        roles: operators,
        idempotent: true,
        looksUpCode: 'for-nobody',
        kinds: [
          'coupon-not-found',
          'coupon-void',
          'code-already-assigned',
          'book-not-active',
          'book-outside-window',
          'coupon-expired',
          'code-locked',
          'code-already-redeemed',
          'user-limit-reached',
          'conflict',
        ],
      },
      schema: {
        operationId: 'transferCoupon',
        summary: 'Give a coupon to another user',
        description:
          'The giver’s slot is free and the receiver’s is taken, within `maxCodesPerUser`, wherever the book would let the coupon be assigned. Not while it is locked, nor once no redemption is left; to the user who has it already is `code-already-assigned`. The coupon keeps its `assignedAt`, its `expiresAt` and its redemptions. Those that the giver made still count for the giver’s `maxRedemptionsPerUser`, and not for the receiver’s. In a book with a public code the receiver must have no coupon yet, and the giver is dealt another one who brings the public code again.',
        tags: ['coupons'],
        params: CodePath,
        body: TransferInput,
        response: { 200: ref(Coupon) },
      },
    },
    ({ caller, params, body, keyed }) => transferCoupon(core, caller, params.code, body, keyed),
  );
}

function addVoid(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/coupons/:code/void',
    {
      config: {
        roles: operators,
        queue: 'changes',
        idempotent: true,
        bodyOptional: true,
        looksUpCode: 'for-nobody',
        kinds: ['coupon-not-found', 'coupon-void', 'conflict'],
      },
      schema: {
        operationId: 'voidCoupon',
        summary: 'Void a coupon or an unassigned code',
        description:
          'Final. Ends a lock and frees the user’s slot; an unassigned code becomes a coupon without a user. It is named by its own code: a public code is `conflict`. Whoever’s coupon is void gets no other one by the public code.',
        tags: ['coupons'],
        params: CodePath,
        body: ReasonInput,
        response: { 200: ref(Coupon) },
      },
    },
    ({ caller, params, body, keyed }) => voidCoupon(core, caller, params.code, body, keyed),
  );
}

function addReads(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/coupons/:code',
    {
      config: { roles: couponUsers, looksUpCode: 'for-nobody', kinds: ['coupon-not-found', 'conflict'] },
      schema: {
        operationId: 'readCoupon',
        summary: 'Read a coupon',
        description:
          'By a public code a customer reads their own coupon of the book. For other roles it names no coupon in particular, which is `conflict`: `GET /v1/codes/{code}` says whose it is.',
        tags: ['coupons'],
        params: CodePath,
        response: { 200: ref(Coupon) },
      },
    },
    ({ caller, params }) => readCoupon(core, caller, params.code),
  );

  app.get(
    '/v1/coupons/:code/events',
    {
      config: { roles: operators, looksUpCode: 'for-nobody', kinds: ['coupon-not-found', 'conflict'] },
      schema: {
        operationId: 'listCouponEvents',
        summary: 'List what happened to a coupon',
        tags: ['coupons'],
        params: CodePath,
        querystring: PageRequest,
        response: { 200: pageOf(ref(CouponEvent), 'Events in the order of their revisions.') },
      },
    },
    ({ caller, params, query }) => listCouponEvents(core, caller, params.code, query),
  );
}
