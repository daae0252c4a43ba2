import { Type } from 'typebox';
import { eraseUser, listUserCoupons, oneOf, UserCouponsRequest } from '../../../core/index.ts';
import { admins, operatorsAndCustomers } from '../auth/roles.ts';
import { Coupon } from '../schemas/answers.ts';
import { pageOf, ref, UserPath } from '../schemas/common.ts';
import { routes } from './api.ts';

/** The routes of users. */
export const userRoutes = routes('user-routes', (app) => {
  const { core } = app;

  app.get(
    '/v1/users/:userId/coupons',
    {
      config: { roles: operatorsAndCustomers, ownUser: 'path' },
      schema: {
        operationId: 'listUserCoupons',
        summary: 'List a user’s coupons',
        tags: ['users'],
        params: UserPath,
        querystring: UserCouponsRequest,
        response: { 200: pageOf(ref(Coupon), 'Coupons of the user.') },
      },
    },
    ({ caller, params, query }) => listUserCoupons(core, caller, params.userId, query),
  );

  app.delete(
    '/v1/users/:userId',
    {
      config: { roles: admins },
      schema: {
        operationId: 'eraseUser',
        summary: 'Erase a user’s personal data',
        description:
          'The user’s id and texts are gone; counts stay true. Nobody can tell any more who it was: the same userId that comes again is a new user, with whatever the books allow one. Erasing a user who is not there does nothing.',
        tags: ['users'],
        params: UserPath,
        response: {
          202: Type.Object({ status: oneOf(['accepted']) }, { description: 'The erasure is under way or done.' }),
        },
      },
    },
    async (request, reply) => {
      await eraseUser(core, request.caller, request.params.userId);
      reply.code(202);
      return { status: 'accepted' as const };
    },
  );
});
