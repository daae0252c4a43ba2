import { Type } from 'typebox';
import { reverseRedemption } from '../../../core/index.ts';
import { readIdempotencyKey } from '../request-headers.ts';
import { operators } from '../roles.ts';
import { exampleId, ref } from '../schemas/common.ts';
import { Coupon, ReasonInput } from '../schemas/coupon.ts';
import { type Api, answer, type RouteTools } from './answer.ts';

/** Adds the routes of redemptions. */
export function addRedemptionRoutes(app: Api, { core }: RouteTools): void {
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
    async (request, reply) => {
      const key = readIdempotencyKey(request);
      // Not read as an id here: trouble with the key is named before a redemption that can't be there.
      const { redemptionId } = request.params;
      return answer(reply, 200, await reverseRedemption(core, request.caller, redemptionId, request.body, key));
    },
  );
}
