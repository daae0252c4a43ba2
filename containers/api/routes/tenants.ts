import { createTenant, TenantInput } from '../../../core/index.ts';
import { rootOnly } from '../auth/roles.ts';
import { NewTenant } from '../schemas/answers.ts';
import { ref } from '../schemas/common.ts';
import { routes } from './api.ts';

/** The routes of tenants. */
export const tenantRoutes = routes('tenant-routes', (app) => {
  const { core } = app;

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
    ({ caller, body, keyed }) => createTenant(core, caller, body, keyed),
  );
});
