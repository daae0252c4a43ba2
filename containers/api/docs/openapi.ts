import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import fp from 'fastify-plugin';
import { type ErrorKind, errorKinds, invalidInput, limits, type Refusal } from '../../../core/index.ts';
import { problemTexts } from '../answers/problem-pages.ts';
import { problemHeaders, toProblem } from '../answers/problems.ts';
import { uploadTypes } from '../body/upload-body.ts';
import type { RouteRules } from '../rules/route-rules.ts';
import { webhookRequests } from './webhook-requests.ts';

/** An operation of the document, as far as it is completed here. */
interface Operation {
  operationId?: string;
  description?: string;
  parameters?: object[];
  requestBody?: { required?: boolean };
  responses: Record<string, { headers?: Record<string, object> } & Record<string, unknown>>;
  security?: object[];
  [extension: `x-${string}`]: unknown;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
}

const tags = [
  { name: 'books', description: 'Campaigns with their rules.' },
  { name: 'codes', description: 'What fills books: generated and uploaded decks of codes.' },
  { name: 'coupons', description: 'Codes in users’ hands: assign, validate, lock, redeem.' },
  { name: 'redemptions', description: 'Uses of coupons, which can be given back.' },
  { name: 'jobs', description: 'Files of users or codes, and exports, in the background.' },
  { name: 'users', description: 'What a user holds, and erasure.' },
  { name: 'webhooks', description: 'Who is told of events, and what they were told.' },
  { name: 'keys', description: 'API keys.' },
  { name: 'tenants', description: 'Businesses that share a deployment and see nothing of each other.' },
  { name: 'service', description: 'Health, documentation and metrics.' },
];

/** What holds for every route, at the top of the document and of /docs. Markdown. */
const guide = `Books of coupon codes: fill them, put codes into users’ hands, lock and redeem them exactly as often as allowed.

**The way of a coupon.** A book is made and made \`active\`; codes are generated or uploaded into it; a code is assigned to a user, which
makes it a coupon; a checkout locks it, takes the money, and redeems it with the lock’s token. A cancelled order gives the redemption back.

**Credentials.** \`Authorization: Bearer\` with an API key (\`qk_…\`), or a JWT whose claims are \`sub\`, \`tenant\` (its slug; the first tenant’s
is \`default\`), \`role\` and \`exp\`.

| role | may |
|---|---|
| \`root\` | make tenants, and everything in the tenant \`default\`: the key of the installation |
| \`admin\` | everything in its tenant |
| \`operator\` | everything but create, change and delete books, keep API keys, erase users and read metrics |
| \`redeemer\` | read, validate, lock, unlock and redeem coupons of any user: a checkout |
| \`customer\` | by JWT only, and for its own \`sub\` only: list, read, validate, lock, unlock and redeem, and assign where the book has \`selfService\` |

**Refusals** are problem documents (RFC 9457): branch on \`kind\`. Each has [a page](/problems) that says what to do.

**Repeating.** With an \`Idempotency-Key\` a POST may be sent again after a lost connection, 429, 500 or 503: it has one effect, and the first answer
comes back, with the header \`Idempotency-Replayed\`. Keys are kept for ${limits.idempotencyKeptHours} hours; a refusal does not use one up. A 503 says in \`outcome\` whether
nothing was done (\`not-begun\`) or whether only such a repeat can tell (\`unknown\`).

**Lists** come in pages: send \`nextCursor\` as \`cursor\` with the same filters until it is null. A filtered page may be short, or empty, and still have a next one.

**This document** is at [/openapi.json](/openapi.json). A key that is entered on this page is forgotten when the page is left or loaded again.`;

const everyGuarded: ErrorKind[] = ['unauthenticated', 'forbidden', 'rate-limited', 'unavailable'];

/**
 * Describes the routes as OpenAPI 3.1: each route's own schema, completed by what its rules say (roles, headers, kinds
 * of problems).
 */
export const openapi = fp(describeRoutes, { name: 'openapi' });

async function describeRoutes(app: FastifyInstance): Promise<void> {
  const rules = new Map<string, RouteRules>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Qurable',
        version: '1.0.0',
        description: guide,
        contact: { name: 'Whoever runs this installation' },
        license: { name: 'MIT', identifier: 'MIT' } as { name: string },
      },
      servers: [{ url: '/' }],
      tags,
      components: {
        headers: {
          RequestId: { schema: { type: 'string' }, description: 'The request’s id, as in the log.' },
        },
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key (qk_…), or a JWT with sub, tenant, role and exp.',
          },
        },
      },
      security: [{ bearer: [] }],
    },
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `def-${index}`) },
    transform: ({ schema, url, route }) => {
      const operationId = (schema as (FastifySchema & { operationId?: string }) | undefined)?.operationId;
      if (operationId === undefined) return { schema: { ...schema, hide: true }, url };
      rules.set(operationId, route.config as RouteRules);
      return { schema, url };
    },
    transformObject: (document) => {
      if ('openapiObject' in document) {
        completeOperations(document.openapiObject as unknown as Document, rules);
        return Object.assign(document.openapiObject, { webhooks: webhookRequests() });
      }
      return document.swaggerObject;
    },
  });
}

function completeOperations(document: Document, rules: Map<string, RouteRules>): void {
  for (const path of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(path)) {
      const known = rules.get(operation.operationId ?? '');
      if (known !== undefined) completeOperation(method, operation, known);
    }
  }
}

function completeOperation(method: string, operation: Operation, rules: RouteRules): void {
  if (rules.roles === 'public') operation.security = [];
  else {
    operation['x-roles'] = rules.roles;
    operation.description = [operation.description, `Roles: ${rules.roles.join(', ')}.`].filter(Boolean).join('\n\n');
  }
  if (operation.requestBody !== undefined) operation.requestBody.required = rules.bodyOptional !== true;
  if (rules.upload === 'codes') operation.requestBody = uploadBody();
  if (rules.upload === 'job') operation.requestBody = jobFileBody();
  if (rules.idempotent === true) describeIdempotency(operation);
  if (rules.locationOf !== undefined) describeLocation(operation);
  const kinds = new Set<ErrorKind>(rules.kinds ?? []);
  // Of a head that is too long or no HTTP, whatever the route.
  kinds.add('invalid-input');
  if (rules.roles !== 'public') for (const kind of everyGuarded) kinds.add(kind);
  if (rules.idempotent === true) kinds.add('idempotency-key-reused');
  if (method !== 'get' && method !== 'delete') for (const kind of bodyKinds(operation)) kinds.add(kind);
  kinds.add('internal');
  Object.assign(operation.responses, problemResponses([...kinds]));
  for (const response of Object.values(operation.responses)) {
    response.headers = { ...response.headers, 'x-request-id': { $ref: '#/components/headers/RequestId' } };
  }
}

function uploadBody(): object {
  const examples: Record<string, object> = {
    'application/json': {
      schema: {
        type: 'object',
        required: ['codes'],
        properties: { codes: { type: 'array', items: { type: ['string', 'object'] } } },
      },
      example: { codes: ['SUMMER-0001', 'SUMMER-0002'] },
    },
    'text/csv': { schema: { type: 'string' }, example: 'code\nSUMMER-0001\nSUMMER-0002\n' },
    'application/x-ndjson': { schema: { type: 'string' }, example: '{"code":"SUMMER-0001"}\n{"code":"SUMMER-0002"}\n' },
  };
  return { required: true, content: Object.fromEntries(uploadTypes.map((type) => [type, examples[type]])) };
}

function jobFileBody(): object {
  const examples = {
    assign: { value: 'userId,count\nu-1,1\nu-2,3\n' },
    void: { value: 'code,reason\nBF26-7K2M-Q9XD,leaked\n' },
  };
  return { required: false, content: { 'text/csv': { schema: { type: 'string' }, examples } } };
}

function bodyKinds(operation: Operation): ErrorKind[] {
  return operation.requestBody === undefined ? [] : ['unsupported-media-type', 'body-too-large'];
}

function describeIdempotency(operation: Operation): void {
  operation.parameters = [
    ...(operation.parameters ?? []),
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      schema: { type: 'string', minLength: 1, maxLength: limits.idempotencyKeyMaxChars, pattern: '^[!-~]+$' },
      // No example: pages that try requests out would send it with every POST, and the second one would be refused.
      description:
        'Makes a repeated request safe: the same key and body give the first answer and no second effect. One key for one intent, such as `order-1001-redeem`; empty: no key.',
    },
  ];
  addHeader(operation, 'Idempotency-Replayed', {
    schema: { type: 'string', enum: ['true'] },
    description: 'There when the answer is a repeated one.',
  });
}

function describeLocation(operation: Operation): void {
  addHeader(operation, 'Location', {
    schema: { type: 'string' },
    description: 'The path at which what was made can be read.',
  });
}

/** To every success. */
function addHeader(operation: Operation, name: string, header: object): void {
  for (const [status, response] of Object.entries(operation.responses)) {
    if (status.startsWith('2')) response.headers = { ...response.headers, [name]: header };
  }
}

/** One response a status, with the kinds that share it. */
function problemResponses(kinds: ErrorKind[]): Record<string, Operation['responses'][string]> {
  const byStatus = new Map<number, ErrorKind[]>();
  for (const kind of kinds) {
    const { status } = errorKinds[kind];
    byStatus.set(status, [...(byStatus.get(status) ?? []), kind]);
  }
  return Object.fromEntries([...byStatus].map(([status, sharing]) => [String(status), problemResponse(sharing)]));
}

function problemResponse(kinds: ErrorKind[]): Operation['responses'][string] {
  const headers = Object.assign({}, ...kinds.map((kind) => problemHeaders({ kind }))) as object;
  return {
    description: kinds.map((kind) => `\`${kind}\`: ${problemTexts[kind].meaning}`).join('\n\n'),
    headers: Object.fromEntries(Object.entries(headers).map(([name, example]) => [name, headerOf(example)])),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { type: 'object', properties: { kind: { type: 'string', enum: kinds } } },
          ],
        },
        examples: Object.fromEntries(kinds.map((kind) => [kind, { value: toProblem(exampleOf(kind), '/v1/…') }])),
      },
    },
  };
}

function exampleOf(kind: ErrorKind): Refusal {
  if (kind === 'invalid-input') return invalidInput('/userId', 'is required').refusal;
  const detail = problemTexts[kind].meaning;
  return kind === 'unavailable' ? { kind, outcome: 'not-begun', detail } : { kind, detail };
}

function headerOf(example: string): object {
  return { schema: { type: 'string' }, example };
}
