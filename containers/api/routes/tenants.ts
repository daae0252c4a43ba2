import { createTenant } from '../../../core/index.ts';
import { readKeyedRequest } from '../request-headers.ts';
import { rootOnly } from '../roles.ts';
import { ref } from '../schemas/common.ts';
import { NewTenant, TenantInput } from '../schemas/tenant.ts';
import { type Api, answer, type RouteTools } from './answer.ts';

/** Adds the routes of tenants. */
export function addTenantRoutes(app: Api, { core }: RouteTools): void {
  app.post(
    '/v1/tenants',
    {
      config: { roles: rootOnly, idempotent: true, kinds: ['conflict'] },
      schema: {
        operationId: 'createTenant',
        summary: 'Create a tenant with its first admin key',
        tags: ['tenants'],
        body: TenantInput,
        response: { 201: ref(NewTenant) },
      },
    },
    async (request, reply) =>
      answer(reply, 201, await createTenant(core, request.caller, request.body, readKeyedRequest(request, 'tenants'))),
  );
}
