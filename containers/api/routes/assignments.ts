import {
  AssignBatchInput,
  AssignCodeInput,
  AssignInput,
  assignBatch,
  assignCode,
  assignCoupon,
  type ErrorKind,
  limits,
  type Refusal,
} from '../../../core/index.ts';
import { toProblem } from '../answers/problems.ts';
import { operators, operatorsAndCustomers } from '../auth/roles.ts';
import { AssignBatchResults, Coupon } from '../schemas/answers.ts';
import { CodePath, ref } from '../schemas/common.ts';
import { type Api, routes } from './api.ts';

const assignKinds: ErrorKind[] = [
  'book-not-found',
  'book-not-active',
  'book-outside-window',
  'user-limit-reached',
  'no-codes-left',
];

/** Where a coupon can be read. No code has a character that an address would have to spell otherwise. */
const addressOf = ({ code }: { code: string }) => `/v1/coupons/${code}`;

/** The routes that put codes into users' hands. */
export const assignmentRoutes = routes('assignment-routes', (app) => {
  addAssign(app);
  addAssignBatch(app);
  addAssignCode(app);
});

function addAssign(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/coupons/assign',
    {
      config: {
        roles: operatorsAndCustomers,
        ownUser: 'body',
        queue: 'deals',
        idempotent: true,
        effect: 'assignment',
        locationOf: addressOf,
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
    ({ caller, body, keyed }) => assignCoupon(core, caller, body, keyed),
  );
}

function addAssignBatch(app: Api): void {
  const { core, metrics } = app;

  app.post(
    '/v1/coupons/assign-batch',
    {
      // As large as 10,000 user ids may be.
      bodyLimit: limits.assignBatchMaxBytes,
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
      const { body, replayed } = await assignBatch(core, request.caller, request.body, request.keyed, count);
      const results = body.results.map((result) =>
        'refusal' in result ? toProblem(result.refusal as Refusal, request.url) : result,
      );
      reply.type('application/json; charset=utf-8');
      // Written here: the schema's choice of coupon or problem would be found out by validation, item by item.
      return { body: JSON.stringify({ results }) as never, replayed };
    },
  );
}

function addAssignCode(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/coupons/:code/assign',
    {
      config: {
        roles: operators,
        queue: 'deals',
        idempotent: true,
        looksUpCode: 'for-user',
        effect: 'assignment',
        locationOf: addressOf,
        kinds: [
          'coupon-not-found',
          'coupon-void',
          'code-already-assigned',
          'book-not-active',
          'book-outside-window',
          'user-limit-reached',
          'no-codes-left',
        ],
      },
      schema: {
        operationId: 'assignCode',
        summary: 'Assign a certain code to a user',
        description:
          'By a public code the user is assigned a random code of the book, and `code-already-assigned` where the user has one.',
        tags: ['coupons'],
        params: CodePath,
        body: AssignCodeInput,
        response: { 201: ref(Coupon) },
      },
    },
    ({ caller, params, body, keyed }) => assignCode(core, caller, params.code, body, keyed),
  );
}
