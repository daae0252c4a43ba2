import { Type } from 'typebox';
import { ApiKeyInput, createApiKey, exampleId, listApiKeys, PageRequest, revokeApiKey } from '../../../core/index.ts';
import { admins } from '../auth/roles.ts';
import { idFromPath } from '../request/id-from-path.ts';
import { ApiKey, NewApiKey } from '../schemas/answers.ts';
import { pageOf, ref } from '../schemas/common.ts';
import { routes } from './api.ts';

/** The routes of API keys. */
export const apiKeyRoutes = routes('api-key-routes', (app) => {
  const { core } = app;

  app.post(
    '/v1/api-keys',
    {
      config: { roles: admins, idempotent: true },
      schema: {
        operationId: 'createApiKey',
        summary: 'Create an API key',
        description: 'Its `secret` is shown this once and stored as a hash only.',
        tags: ['keys'],
        body: ApiKeyInput,
        response: { 201: ref(NewApiKey) },
      },
    },
    ({ caller, body, keyed }) => createApiKey(core, caller, body, keyed),
  );

  app.get(
    '/v1/api-keys',
    {
      config: { roles: admins },
      schema: {
        operationId: 'listApiKeys',
        summary: 'List the API keys',
        tags: ['keys'],
        querystring: PageRequest,
        response: { 200: pageOf(ref(ApiKey), 'API keys without their secrets.') },
      },
    },
    ({ caller, query }) => listApiKeys(core, caller, query),
  );

  app.delete(
    '/v1/api-keys/:id',
    {
      config: { roles: admins, kinds: ['not-found'] },
      schema: {
        operationId: 'revokeApiKey',
        summary: 'Revoke an API key',
        description: 'Takes effect everywhere within 5 seconds.',
        tags: ['keys'],
        params: Type.Object({ id: Type.String({ description: 'The key’s id.', examples: [exampleId] }) }),
        response: { 204: Type.Null({ description: 'The key is revoked.' }) },
      },
    },
    async (request, reply) => {
      await revokeApiKey(core, request.caller, idFromPath(request.params.id, 'not-found'));
      return reply.code(204).send(null);
    },
  );
});
