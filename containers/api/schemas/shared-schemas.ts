import fp from 'fastify-plugin';
import { Book } from './book.ts';
import { CodeItem, Deck, GeneratedDeck, UploadedDeck } from './code.ts';
import { AssignBatchResults, Coupon, CouponEvent, LockedCoupon, RedeemedCoupon, Validation } from './coupon.ts';
import { ProblemSchema } from './problem.ts';
import { ApiKey, NewApiKey, NewTenant } from './tenant.ts';

const schemas = [
  ProblemSchema,
  Book,
  CodeItem,
  Deck,
  GeneratedDeck,
  UploadedDeck,
  Coupon,
  LockedCoupon,
  RedeemedCoupon,
  CouponEvent,
  AssignBatchResults,
  Validation,
  ApiKey,
  NewApiKey,
  NewTenant,
];

/** Makes the schemas known that routes name by their `$id`. */
export const sharedSchemas = fp(
  async (app) => {
    for (const schema of schemas) app.addSchema(schema);
  },
  { name: 'shared-schemas' },
);
