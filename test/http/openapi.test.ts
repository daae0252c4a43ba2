import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { errorKinds } from '../../core/index.ts';
import { startTestApi, type TestApi } from './support.ts';

interface Described {
  operationId: string;
  summary: string;
  description?: string;
  parameters?: {
    name: string;
    example?: unknown;
    schema: { default?: unknown; example?: unknown; examples?: unknown };
  }[];
  tags: string[];
  security?: object[];
  'x-roles'?: string[];
  responses: Record<string, { content?: Record<string, { schema: { allOf?: { properties?: Kinds }[] } }> }>;
}
type Kinds = { kind: { enum: string[] } };

describe('the OpenAPI document', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi('openapi');
  });
  afterAll(() => api.close());

  const operations = (): [string, Described][] =>
    Object.entries(api.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Described] => [
        `${method.toUpperCase()} ${path}`,
        operation as unknown as Described,
      ]),
    );

  test('it is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(api.document as object as Record<string, unknown>);
    expect(result).toEqual({ valid: true });
    expect(api.document).toMatchObject({
      openapi: '3.1.0',
      components: { securitySchemes: { bearer: { type: 'http' } } },
    });
  });

  test('a validation’s reason is one of those that a redeem of a coupon can have', () => {
    const { Validation } = (api.document as unknown as { components: { schemas: unknown } }).components
      .schemas as Record<string, { properties: { reason: { enum: string[] } } }>;
    expect([...Validation!.properties.reason.enum].sort()).toEqual([
      'book-not-active',
      'book-outside-window',
      'code-already-redeemed',
      'code-locked',
      'coupon-expired',
      'coupon-void',
      'held-by-another-user',
      'lock-expired',
      'lock-required',
      'no-codes-left',
      'redemption-limit-reached',
      'user-limit-reached',
    ]);
  });

  test('it has every route of the contract', () => {
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual(contract.toSorted());
  });

  test('every operation has an id of its own, a summary and a tag', () => {
    const ids = operations().map(([, operation]) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, operation] of operations()) {
      expect([name, typeof operation.summary, operation.tags.length]).toEqual([name, 'string', 1]);
    }
  });

  test('every operation has a description and names a refusal, and the document says whom to ask', () => {
    for (const [name, { description = '', responses }] of operations()) {
      expect([name, description !== '']).toEqual([name, true]);
      expect([name, Object.keys(responses).some((status) => /^4\d\d$/.test(status))]).toEqual([name, true]);
    }
    expect(api.document).toMatchObject({ info: { contact: { name: expect.any(String) }, license: { name: 'MIT' } } });
  });

  test('pages that try requests out are given no key for repeats, which the second request would be refused for', () => {
    const keys = operations().flatMap(([, { parameters = [] }]) =>
      parameters.filter((parameter) => parameter.name === 'Idempotency-Key'),
    );
    expect(keys.length).toBeGreaterThan(10);
    for (const { example, schema } of keys) {
      expect([example, schema.example, schema.examples, schema.default]).toEqual(Array(4).fill(undefined));
    }
  });

  test('every route but those for the public wants a token and says which roles may', () => {
    for (const [name, operation] of operations()) {
      const isPublic = operation.security?.length === 0;
      expect([name, isPublic]).toEqual([name, publicRoutes.has(name)]);
      expect([name, operation['x-roles'] === undefined]).toEqual([name, isPublic]);
    }
  });

  test('every kind of problem is documented at some route, but those that come where there is no route', () => {
    const documented = new Set(
      operations().flatMap(([, operation]) => Object.values(operation.responses).flatMap(kindsOf)),
    );
    const missing = Object.keys(errorKinds).filter((kind) => !documented.has(kind));
    expect(missing).toEqual(['method-not-allowed']);
  });

  test('every field, parameter and word of a list that it has is in a test of HTTP, beside the lists in this file', () => {
    const texts = globSync('*.test.ts', { cwd: import.meta.dirname })
      .filter((name) => name !== 'openapi.test.ts')
      .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
    const text = texts.join('\n');
    const isNamed = (word: string) => new RegExp(`(?<![\\w-])${word.replaceAll('.', '\\.')}(?![\\w-])`).test(text);
    const words = wordsOf(api.document);
    expect(words.size).toBeGreaterThan(200);
    // A list of problems' kinds and one of reasons are among them; which route has a test,
    // test/http/authorisation.test.ts says.
    expect([...words].filter((word) => !isNamed(word)).sort()).toEqual([]);
  });

  test('every example is valid under the schema beside it', () => {
    const ajv = new Ajv2020.default({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema(api.document, 'openapi');
    const found = [...findMedia(api.document, 'openapi#')].flatMap(({ pointer, media }) =>
      examplesOf(media).map((example) => ({ pointer, example })),
    );
    expect(found.length).toBeGreaterThan(200);
    for (const { pointer, example } of found) {
      expect([pointer, ajv.validate({ $ref: `${pointer}/schema` }, example), ajv.errorsText()]).toEqual([
        pointer,
        true,
        'No errors',
      ]);
    }
  });

  test('the root leads to the pages for people, and other unknown paths stay problems', async () => {
    const root = await api.app.inject('/');
    expect([root.statusCode, root.headers.location]).toEqual([302, '/docs']);
    expect((await api.app.inject('//')).statusCode).toBe(404);
    const other = await api.app.inject({ method: 'POST', url: '/' });
    expect([other.statusCode, other.json().kind, other.headers.allow]).toEqual([
      405,
      'method-not-allowed',
      'GET, HEAD',
    ]);
  });

  test('the pages for people show nothing of the tools that make them, keep no key and ask for no address', async () => {
    const page = (await api.app.inject('/docs')).payload;
    expect(page).toContain('<title>Qurable API</title>');
    expect(page).toContain('theme/icon.svg');
    const script = (await api.app.inject('/docs/static/swagger-initializer.js')).payload;
    expect(script).toContain('"layout":"BaseLayout"');
    expect(script).toContain('"persistAuthorization":false');
  });

  test('the pages for people show it from the server’s own files', async () => {
    const page = await api.app.inject('/docs');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'self';/);
    expect(page.headers['content-security-policy']).not.toMatch(/https:|validator/);
    const assets = [...page.payload.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
    expect(assets.length).toBeGreaterThan(2);
    for (const asset of assets) {
      expect(asset).toMatch(/^\/docs\//);
      expect((await api.app.inject(asset)).statusCode).toBe(200);
    }
    const json = await api.app.inject('/docs/json');
    expect(json.json()).toEqual(api.document);
  });
});

/** The names of fields and parameters of a document, and the values of which some field or parameter has one. */
function wordsOf(value: unknown, words = new Set<string>()): Set<string> {
  if (value === null || typeof value !== 'object') return words;
  const {
    properties = {},
    enum: values = [],
    in: place,
    name,
  } = value as Record<string, object> & { enum?: unknown[] };
  for (const field of Object.keys(properties)) words.add(field);
  for (const one of values) if (typeof one === 'string' && /^[\w.-]+$/.test(one)) words.add(one);
  if (place !== undefined && typeof name === 'string') words.add(name);
  for (const [key, child] of Object.entries(value)) if (!/^examples?$/.test(key)) wordsOf(child, words);
  return words;
}

interface Media {
  schema: object;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

/** Every place of the document that has a schema beside its examples: bodies, answers, parameters and headers. */
function* findMedia(value: unknown, pointer: string): Generator<{ pointer: string; media: Media }> {
  if (value === null || typeof value !== 'object') return;
  if ('schema' in value) yield { pointer, media: value as Media };
  for (const [name, child] of Object.entries(value)) {
    yield* findMedia(child, `${pointer}/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`);
  }
}

function examplesOf({ example, examples = {} }: Media): unknown[] {
  return [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)];
}

function kindsOf(response: Described['responses'][string]): string[] {
  return (response.content?.['application/problem+json']?.schema.allOf ?? []).flatMap(
    (part) => part.properties?.kind.enum ?? [],
  );
}

const publicRoutes = new Set(['GET /health', 'GET /ready', 'GET /problems', 'GET /problems/{kind}']);

const contract = [
  'POST /v1/books',
  'GET /v1/books',
  'GET /v1/books/{bookId}',
  'PATCH /v1/books/{bookId}',
  'DELETE /v1/books/{bookId}',
  'GET /v1/books/{bookId}/counts',
  'GET /v1/books/{bookId}/report',
  'GET /v1/books/{bookId}/revisions',
  'POST /v1/books/{bookId}/codes/generate',
  'POST /v1/books/{bookId}/codes',
  'GET /v1/books/{bookId}/codes',
  'GET /v1/codes/{code}',
  'GET /v1/codes/{code}/alike',
  'GET /v1/books/{bookId}/decks',
  'POST /v1/books/{bookId}/decks/{deckId}/void',
  'POST /v1/coupons/assign',
  'POST /v1/coupons/assign-batch',
  'POST /v1/coupons/{code}/assign',
  'POST /v1/coupons/{code}/validate',
  'POST /v1/coupons/{code}/lock',
  'POST /v1/coupons/{code}/transfer',
  'POST /v1/coupons/{code}/unlock',
  'POST /v1/coupons/{code}/redeem',
  'POST /v1/coupons/{code}/void',
  'GET /v1/coupons/{code}',
  'GET /v1/coupons/{code}/events',
  'GET /v1/redemptions',
  'POST /v1/jobs',
  'GET /v1/jobs',
  'GET /v1/jobs/{jobId}',
  'POST /v1/jobs/{jobId}/cancel',
  'GET /v1/jobs/{jobId}/result',
  'POST /v1/redemptions/{redemptionId}/reverse',
  'GET /v1/users/{userId}/coupons',
  'DELETE /v1/users/{userId}',
  'POST /v1/webhooks',
  'GET /v1/webhooks',
  'GET /v1/webhooks/{id}',
  'PATCH /v1/webhooks/{id}',
  'DELETE /v1/webhooks/{id}',
  'POST /v1/webhooks/{id}/rotate',
  'POST /v1/webhooks/{id}/test',
  'POST /v1/webhooks/{id}/replay',
  'GET /v1/webhooks/{id}/deliveries',
  'POST /v1/api-keys',
  'GET /v1/api-keys',
  'DELETE /v1/api-keys/{id}',
  'POST /v1/tenants',
  'GET /health',
  'GET /ready',
  'GET /problems',
  'GET /problems/{kind}',
  'GET /metrics',
];
