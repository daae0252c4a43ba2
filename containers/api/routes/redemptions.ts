import { Type } from 'typebox';
import { exampleId, ReasonInput, reverseRedemption } from '../../../core/index.ts';
import { operators } from '../auth/roles.ts';
import { Coupon } from '../schemas/answers.ts';
import { ref } from '../schemas/common.ts';
import { routes } from './api.ts';

/** The routes of redemptions. */
export const redemptionRoutes = routes('redemption-routes', (app) => {
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
    // Not read as an id here: trouble with the key is named before a redemption that can't be there.
    ({ caller, params, body, keyed }) => reverseRedemption(core, caller, params.redemptionId, body, keyed),
  );
});
