import {
  assignBatch,
  assignCode,
  assignCoupon,
  type ErrorKind,
  invalidInput,
  limits,
  listCouponEvents,
  lockCoupon,
  type Refusal,
  readCoupon,
  redeemCoupon,
  unlockCoupon,
  validateCoupon,
  voidCoupon,
} from '../../../core/index.ts';
import { takeJsonBodies } from '../json-body.ts';
import { lookUpCode } from '../look-up-code.ts';
import { toProblem } from '../problems.ts';
import { readIdempotencyKey } from '../request-headers.ts';
import { couponUsers, operators, operatorsAndCustomers } from '../roles.ts';
import { CodePath, pageOf, pageParameters, ref, strictObject } from '../schemas/common.ts';
import {
  AssignBatchInput,
  AssignBatchResults,
  AssignCodeInput,
  AssignInput,
  Coupon,
  CouponEvent,
  LockedCoupon,
  LockInput,
  ReasonInput,
  RedeemedCoupon,
  RedeemInput,
  UnlockInput,
  ValidateInput,
  Validation,
} from '../schemas/coupon.ts';
import { type Api, answer, type RouteTools } from './answer.ts';

const assignKinds: ErrorKind[] = [
  'book-not-found',
  'book-not-active',
  'book-outside-window',
  'user-limit-reached',
  'no-codes-left',
];
const holdKinds: ErrorKind[] = ['coupon-not-found', 'coupon-void', 'held-by-another-user'];
const lockKinds: ErrorKind[] = [
  ...holdKinds,
  'book-not-active',
  'book-outside-window',
  'code-locked',
  'lock-expired',
  'code-already-redeemed',
  'redemption-limit-reached',
  'user-limit-reached',
];

/** Adds the routes of coupons. */
export function addCouponRoutes(app: Api, tools: RouteTools): void {
  addAssign(app, tools);
  app.register(async (batches: Api) => addAssignBatch(batches, tools));
  addAssignCode(app, tools);
  addValidate(app, tools);
  addLock(app, tools);
  addUnlock(app, tools);
  addRedeem(app, tools);
  addVoid(app, tools);
  addReads(app, tools);
}

function addAssign(app: Api, { core }: RouteTools): void {
  app.post(
    '/v1/coupons/assign',
    {
      config: {
        roles: operatorsAndCustomers,
        ownUser: 'body',
        queue: 'deals',
        idempotent: true,
        effect: 'assignment',
        kinds: assignKinds,
      },
      schema: {
        operationId: 'assignCoupon',
        summary: 'Assign a random code of a book to a user',
        description: 'Each code left in the book is equally likely. Customers may where the book has `selfService`.',
        tags: ['coupons'],
        body: AssignInput,
        response: { 201: ref(Coupon) },
      },
    },
    async (request, reply) =>
      answer(reply, 201, await assignCoupon(core, request.caller, request.body, readIdempotencyKey(request))),
  );
}

/** Apart from the others, as its body may be as large as 10,000 user ids are. */
function addAssignBatch(app: Api, { core, metrics }: RouteTools): void {
  takeJsonBodies(app, limits.assignBatchMaxBytes);
  app.post(
    '/v1/coupons/assign-batch',
    {
      config: { roles: operators, queue: 'deals', idempotent: true, kinds: ['book-not-found'] },
      schema: {
        operationId: 'assignBatch',
        summary: 'Assign a random code of a book to each of many users',
        description:
          'Each user’s result stands on its own. One key covers all: repeated after a break, the request goes on where it stopped.',
        tags: ['coupons'],
        body: AssignBatchInput,
        response: { 200: ref(AssignBatchResults) },
      },
    },
    async (request, reply) => {
      const count = () => metrics.observeEffects('assignment', 1);
      const outcome = await assignBatch(core, request.caller, request.body, readIdempotencyKey(request), count);
      const { results } = answer(reply, 200, outcome);
      const rendered = results.map((result) =>
        'refusal' in result ? toProblem(result.refusal as Refusal, request.url) : result,
      );
      // Written here: the schema's choice of coupon or problem would be found out by validation, item by item.
      const body = JSON.stringify({ results: rendered });
      return reply.type('application/json; charset=utf-8').send(body as never);
    },
  );
}

function addAssignCode(app: Api, { core }: RouteTools): void {
  app.post(
    '/v1/coupons/:code/assign',
    {
      config: {
        roles: operators,
        queue: 'deals',
        idempotent: true,
        effect: 'assignment',
        kinds: [
          'coupon-not-found',
          'coupon-void',
          'code-already-assigned',
          'book-not-active',
          'book-outside-window',
          'user-limit-reached',
        ],
      },
      schema: {
        operationId: 'assignCode',
        summary: 'Assign a certain code to a user',
        tags: ['coupons'],
        params: CodePath,
        body: AssignCodeInput,
        response: { 201: ref(Coupon) },
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request;
      const key = readIdempotencyKey(request);
      const work = () => assignCode(core, caller, params.code, body, key);
      return answer(reply, 201, await lookUpCode(core, request, params.code, body.userId, work));
    },
  );
}

function addValidate(app: Api, { core }: RouteTools): void {
  app.post(
    '/v1/coupons/:code/validate',
    {
      config: { roles: couponUsers, ownUser: 'body', kinds: ['coupon-not-found'] },
      schema: {
        operationId: 'validateCoupon',
        summary: 'Ask whether a redeem would succeed now',
        description:
          'What a redeem with the same fields would say. Changes nothing, and promises nothing: a moment later it may be otherwise. A lock keeps the coupon.',
        tags: ['coupons'],
        params: CodePath,
        body: ValidateInput,
        response: { 200: ref(Validation) },
      },
    },
    (request) => {
      const { caller, params, body } = request;
      const work = () => validateCoupon(core, caller, params.code, body);
      return lookUpCode(core, request, params.code, body.userId, work);
    },
  );
}

function addLock(app: Api, { core }: RouteTools): void {
  app.post(
    '/v1/coupons/:code/lock',
    {
      config: { roles: couponUsers, ownUser: 'body', queue: 'changes', idempotent: true, kinds: lockKinds },
      schema: {
        operationId: 'lockCoupon',
        summary: 'Lock a coupon for a checkout, or renew the lock',
        description:
          'The `lockToken` of the answer grows with each grant and stays when a lock is renewed with it. A lock is refused where a redeem would be. It keeps the coupon for this checkout, and nothing else: it reserves nothing of the book’s or the user’s limits, and promises nothing against a pause, a void or the end of the book, with which it ends at the latest.',
        tags: ['coupons'],
        params: CodePath,
        body: LockInput,
        response: { 200: ref(LockedCoupon) },
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request;
      const key = readIdempotencyKey(request);
      const work = () => lockCoupon(core, caller, params.code, body, key);
      return answer(reply, 200, await lookUpCode(core, request, params.code, body.userId, work));
    },
  );
}

function addUnlock(app: Api, { core }: RouteTools): void {
  app.post(
    '/v1/coupons/:code/unlock',
    {
      config: {
        roles: couponUsers,
        ownUser: 'body',
        queue: 'changes',
        idempotent: true,
        kinds: [...holdKinds, 'code-locked', 'lock-expired'],
      },
      schema: {
        operationId: 'unlockCoupon',
        summary: 'Let a lock go',
        tags: ['coupons'],
        params: CodePath,
        body: UnlockInput,
        response: { 200: ref(Coupon) },
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request;
      const key = readIdempotencyKey(request);
      const work = () => unlockCoupon(core, caller, params.code, body, key);
      return answer(reply, 200, await lookUpCode(core, request, params.code, body.userId, work));
    },
  );
}

function addRedeem(app: Api, { core }: RouteTools): void {
  app.post(
    '/v1/coupons/:code/redeem',
    {
      config: {
        roles: couponUsers,
        ownUser: 'body',
        queue: 'changes',
        idempotent: true,
        effect: 'redemption',
        kinds: [...lockKinds, 'lock-required'],
      },
      schema: {
        operationId: 'redeemCoupon',
        summary: 'Redeem a coupon once',
        description: 'Ends the lock, where there is one.',
        tags: ['coupons'],
        params: CodePath,
        body: RedeemInput,
        response: { 200: ref(RedeemedCoupon) },
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request;
      const key = readIdempotencyKey(request);
      refuseLargeMetadata(body.metadata);
      const work = () => redeemCoupon(core, caller, params.code, body, key);
      return answer(reply, 200, await lookUpCode(core, request, params.code, body.userId, work));
    },
  );
}

/** A schema can't bound the size of a free object. */
function refuseLargeMetadata(metadata: object | undefined): void {
  if (metadata === undefined || Buffer.byteLength(JSON.stringify(metadata)) <= limits.metadataMaxBytes) return;
  throw invalidInput('/metadata', `must have at most ${limits.metadataMaxBytes} bytes of JSON`);
}

function addVoid(app: Api, { core }: RouteTools): void {
  app.post(
    '/v1/coupons/:code/void',
    {
      config: {
        roles: operators,
        queue: 'changes',
        idempotent: true,
        bodyOptional: true,
        kinds: ['coupon-not-found', 'coupon-void'],
      },
      schema: {
        operationId: 'voidCoupon',
        summary: 'Void a coupon or an unassigned code',
        description:
          'Final. Ends a lock and frees the user’s slot; an unassigned code becomes a coupon without a user.',
        tags: ['coupons'],
        params: CodePath,
        body: ReasonInput,
        response: { 200: ref(Coupon) },
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request;
      const key = readIdempotencyKey(request);
      const work = () => voidCoupon(core, caller, params.code, body, key);
      return answer(reply, 200, await lookUpCode(core, request, params.code, null, work));
    },
  );
}

function addReads(app: Api, { core }: RouteTools): void {
  app.get(
    '/v1/coupons/:code',
    {
      config: { roles: couponUsers, kinds: ['coupon-not-found'] },
      schema: {
        operationId: 'readCoupon',
        summary: 'Read a coupon',
        tags: ['coupons'],
        params: CodePath,
        querystring: strictObject({}),
        response: { 200: ref(Coupon) },
      },
    },
    (request) => {
      const { caller, params } = request;
      return lookUpCode(core, request, params.code, null, () => readCoupon(core, caller, params.code));
    },
  );

  app.get(
    '/v1/coupons/:code/events',
    {
      config: { roles: operators, kinds: ['coupon-not-found'] },
      schema: {
        operationId: 'listCouponEvents',
        summary: 'List what happened to a coupon',
        tags: ['coupons'],
        params: CodePath,
        querystring: strictObject(pageParameters),
        response: { 200: pageOf(ref(CouponEvent), 'Events in the order of their revisions.') },
      },
    },
    (request) => {
      const { caller, params, query } = request;
      const page = { ...query, limit: query.limit ?? limits.pageDefaultItems };
      const work = () => listCouponEvents(core, caller, params.code, page);
      return lookUpCode(core, request, params.code, null, work);
    },
  );
}
