import { Type } from 'typebox';
import {
  exampleId,
  exportRedemptions,
  listRedemptions,
  ReasonInput,
  RedemptionListRequest,
  reverseRedemption,
  strictObject,
} from '../../../core/index.ts';
import { csvDescription, csvParameters, localParameter, refuseCursor, sendCsv } from '../answers/csv-answer.ts';
import { operators } from '../auth/roles.ts';
import { prefersCsv } from '../request/headers.ts';
import { Coupon, Redemption } from '../schemas/answers.ts';
import { pageOf, ref } from '../schemas/common.ts';
import { type Api, routes } from './api.ts';

/** The routes of redemptions. */
export const redemptionRoutes = routes('redemption-routes', (app) => {
  addList(app);
  addReverse(app);
});

function addList(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/redemptions',
    {
      config: { roles: operators },
      schema: {
        operationId: 'listRedemptions',
        summary: 'List redemptions, or export them as CSV',
        description: `Newest first, those given back too. All filters that are given must pass. Pages by one filter are full, but for the last. With several filters, of which each passes many redemptions and all together pass few, and for a user or a code with thousands of redemptions, a page may be short, or even empty, and still have a \`nextCursor\`: go on to \`null\`. ${csvDescription}`,
        tags: ['redemptions'],
        querystring: strictObject({ ...RedemptionListRequest.properties, ...csvParameters, ...localParameter }),
        response: {
          200: {
            description: 'Redemptions, newest first.',
            content: {
              'application/json': { schema: pageOf(ref(Redemption), 'A page of redemptions.') },
              'text/csv': { schema: Type.String() },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { bom, local, ...query } = request.query;
      if (!prefersCsv(request)) return listRedemptions(core, request.caller, query);
      refuseCursor(query);
      const csv = await exportRedemptions(core, request.caller, query, bom === 'true', local === 'true');
      return sendCsv(reply, csv, 'redemptions');
    },
  );
}

function addReverse(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/redemptions/:redemptionId/reverse',
    {
      config: {
        roles: operators,
        queue: 'changes',
        idempotent: true,
        bodyOptional: true,
        kinds: ['redemption-not-found', 'coupon-void', 'conflict'],
      },
      schema: {
        operationId: 'reverseRedemption',
        summary: 'Give a redemption back',
        description: 'For an order that is cancelled: the coupon can be redeemed once more.',
        tags: ['redemptions'],
        params: Type.Object({
          redemptionId: Type.String({ description: 'The `redemption.id` of the redeem.', examples: [exampleId] }),
        }),
        body: ReasonInput,
        response: { 200: ref(Coupon) },
      },
    },
    // The id is not checked here: a problem with the idempotency key is reported before a missing redemption.
    ({ caller, params, body, keyed }) => reverseRedemption(core, caller, params.redemptionId, body, keyed),
  );
}
