import { Type } from 'typebox';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  exampleId,
  limits,
  listDeliveries,
  listWebhooks,
  PageRequest,
  ReplayInput,
  readWebhook,
  replayWebhook,
  rotateWebhookSecret,
  strictObject,
  testWebhook,
  WebhookInput,
  WebhookPatch,
} from '../../../core/index.ts';
import { operators } from '../auth/roles.ts';
import { idFromPath } from '../request/id-from-path.ts';
import { Delivery, NewWebhook, Replay, Webhook } from '../schemas/answers.ts';
import { pageOf, ref } from '../schemas/common.ts';
import { type Api, routes } from './api.ts';

const WebhookPath = Type.Object({ id: Type.String({ description: 'The webhook’s id.', examples: [exampleId] }) });

/** The routes of webhooks. */
export const webhookRoutes = routes('webhook-routes', (app) => {
  addMaking(app);
  addReads(app);
  addChanges(app);
  addDeliveries(app);
});

function addMaking(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/webhooks',
    {
      config: {
        roles: operators,
        idempotent: true,
        locationOf: ({ id }: { id: string }) => `/v1/webhooks/${id}`,
        kinds: ['conflict'],
      },
      schema: {
        operationId: 'createWebhook',
        summary: 'Create a webhook',
        description:
          'From now on it is told of those events, by POST requests signed as Standard Webhooks 1.0 says. Its `secret` is shown this once. The requests are described under `webhooks` in this document.',
        tags: ['webhooks'],
        body: WebhookInput,
        response: { 201: ref(NewWebhook) },
      },
    },
    ({ caller, body, keyed }) => createWebhook(core, caller, body, keyed),
  );

  app.post(
    '/v1/webhooks/:id/rotate',
    {
      config: { roles: operators, idempotent: true, bodyOptional: true, kinds: ['not-found', 'conflict'] },
      schema: {
        operationId: 'rotateWebhookSecret',
        summary: 'Make a new secret of a webhook',
        description: 'It is shown this once. For 24 hours the secret before signs beside it.',
        tags: ['webhooks'],
        params: WebhookPath,
        body: strictObject({}),
        response: { 200: ref(NewWebhook) },
      },
    },
    ({ caller, params, keyed }) => rotateWebhookSecret(core, caller, params.id, keyed),
  );
}

function addReads(app: Api): void {
  const { core } = app;

  app.get(
    '/v1/webhooks',
    {
      config: { roles: operators },
      schema: {
        operationId: 'listWebhooks',
        summary: 'List the webhooks',
        tags: ['webhooks'],
        querystring: PageRequest,
        response: { 200: pageOf(ref(Webhook), 'Webhooks without their secrets, newest first.') },
      },
    },
    ({ caller, query }) => listWebhooks(core, caller, query),
  );

  app.get(
    '/v1/webhooks/:id',
    {
      config: { roles: operators, kinds: ['not-found'] },
      schema: {
        operationId: 'readWebhook',
        summary: 'Read a webhook',
        description: 'Without its secret, which nobody is shown again.',
        tags: ['webhooks'],
        params: WebhookPath,
        response: { 200: ref(Webhook) },
      },
    },
    ({ caller, params }) => readWebhook(core, caller, idFromPath(params.id, 'not-found')),
  );
}

function addChanges(app: Api): void {
  const { core } = app;

  app.patch(
    '/v1/webhooks/:id',
    {
      config: { roles: operators, kinds: ['not-found'] },
      schema: {
        operationId: 'changeWebhook',
        summary: 'Change a webhook',
        description:
          'Fields that are left out stay. One that is enabled again goes on with what waited for it; what happened while it was disabled is sent by a replay.',
        tags: ['webhooks'],
        params: WebhookPath,
        body: WebhookPatch,
        response: { 200: ref(Webhook) },
      },
    },
    ({ caller, params, body }) => changeWebhook(core, caller, idFromPath(params.id, 'not-found'), body),
  );

  app.delete(
    '/v1/webhooks/:id',
    {
      config: { roles: operators, kinds: ['not-found'] },
      schema: {
        operationId: 'deleteWebhook',
        summary: 'Delete a webhook',
        description: 'Nothing more is sent to it, what waited for it included.',
        tags: ['webhooks'],
        params: WebhookPath,
        response: { 204: Type.Null({ description: 'The webhook is deleted.' }) },
      },
    },
    async (request, reply) => {
      await deleteWebhook(core, request.caller, idFromPath(request.params.id, 'not-found'));
      return reply.code(204).send(null);
    },
  );
}

function addDeliveries(app: Api): void {
  const { core } = app;

  app.post(
    '/v1/webhooks/:id/test',
    {
      config: {
        roles: operators,
        idempotent: true,
        bodyOptional: true,
        kinds: ['not-found', 'conflict', 'rate-limited'],
      },
      schema: {
        operationId: 'testWebhook',
        summary: 'Send a test to a webhook',
        description: `An event \`webhook.test\`, ${limits.webhookTestsPerMinute} a minute at most. What came of it is among the deliveries a moment later.`,
        tags: ['webhooks'],
        params: WebhookPath,
        body: strictObject({}),
        response: { 202: ref(Delivery) },
      },
    },
    ({ caller, params, keyed }) => testWebhook(core, caller, params.id, keyed),
  );

  app.post(
    '/v1/webhooks/:id/replay',
    {
      config: { roles: operators, idempotent: true, kinds: ['not-found', 'conflict'] },
      schema: {
        operationId: 'replayWebhook',
        summary: 'Send the events of a span of time again',
        description: `Those of coupons, books and jobs that the webhook wants to be told of, sent before or not, under the \`webhook-id\` of the first time. A month that is not in the database any more is a \`conflict\`; where one leaves while the replay goes on, the webhook says so (\`replayMissed\`). A job’s end can be told again as long as the job is kept: ${limits.jobKeptDays} days.`,
        tags: ['webhooks'],
        params: WebhookPath,
        body: ReplayInput,
        response: { 202: ref(Replay) },
      },
    },
    ({ caller, params, body, keyed }) => replayWebhook(core, caller, params.id, body, keyed),
  );

  app.get(
    '/v1/webhooks/:id/deliveries',
    {
      config: { roles: operators, kinds: ['not-found'] },
      schema: {
        operationId: 'listDeliveries',
        summary: 'List what a webhook was told',
        description: `Of the last ${limits.deliveriesKeptDays} days, and what is still to be sent. Nothing of what was sent or answered is kept but what is shown.`,
        tags: ['webhooks'],
        params: WebhookPath,
        querystring: PageRequest,
        response: { 200: pageOf(ref(Delivery), 'Deliveries, newest first.') },
      },
    },
    ({ caller, params, query }) => listDeliveries(core, caller, idFromPath(params.id, 'not-found'), query),
  );
}
