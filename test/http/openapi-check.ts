import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** A response, as the check looks at it. */
export interface CheckedResponse {
  method: string;
  /** The request's path, with or without its query. */
  path: string;
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

interface Operation {
  operationId?: string;
  responses: Record<string, { content?: Record<string, object>; $ref?: string }>;
}

/** The OpenAPI document, as far as the check reads it. */
export interface OpenApiDocument {
  paths: Record<string, Record<string, Operation>>;
}

/** Throws where a response is not what the document promises for its route, status and content type. */
export type ResponseCheck = (response: CheckedResponse) => void;

const retryKinds = new Set(['rate-limited', 'unavailable', 'code-locked']);

/** Makes the check of responses against a served document. */
export function makeResponseCheck(document: OpenApiDocument): ResponseCheck {
  // Whether the document is a good one, openapi.test.ts asks.
  const ajv = new Ajv2020.default({ strict: false, allErrors: true, validateFormats: true, validateSchema: false });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  const validators = new Map<string, ValidateFunction>();
  const validatorAt = (pointer: string): ValidateFunction => {
    const known = validators.get(pointer) ?? ajv.compile({ $ref: `openapi#${pointer}` });
    validators.set(pointer, known);
    return known;
  };

  return (response) => {
    const { method, path, status } = response;
    const where = `${method} ${path} → ${status}`;
    const type = String(response.headers['content-type'] ?? '').split(';')[0]!;
    checkHeaders(where, response);
    const template = findTemplate(document, method, path.split('?')[0]!);
    if (template === null) {
      checkProblem(where, response, validatorAt('/components/schemas/Problem'));
      return;
    }
    const documented = document.paths[template]![method.toLowerCase()]!.responses[String(status)];
    if (documented === undefined) throw new Error(`${where} is not documented: ${response.body}`);
    if (documented.content === undefined) {
      if (response.body !== '') throw new Error(`${where} has a body and is documented without one`);
      return;
    }
    if (documented.content[type] === undefined) throw new Error(`${where} has the undocumented content type ${type}`);
    const pointer = ['paths', template, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema'];
    const validate = validatorAt(`/${pointer.map(escapePart).join('/')}`);
    if (type === 'application/problem+json') checkProblem(where, response, validate);
    else if (type === 'application/json') checkJson(where, response.body, validate);
  };
}

function checkHeaders(where: string, { headers }: CheckedResponse): void {
  if (!headers['x-request-id']) throw new Error(`${where} has no x-request-id`);
  if (headers['x-content-type-options'] !== 'nosniff') throw new Error(`${where} has no x-content-type-options`);
}

function checkJson(where: string, body: string, validate: ValidateFunction): Record<string, unknown> {
  const value = JSON.parse(body) as Record<string, unknown>;
  if (!validate(value)) {
    throw new Error(`${where} does not match the OpenAPI document: ${JSON.stringify(validate.errors)}\n${body}`);
  }
  return value;
}

function checkProblem(where: string, response: CheckedResponse, validate: ValidateFunction): void {
  const { headers, status, path } = response;
  const problem = checkJson(where, response.body, validate);
  const expect = (holds: boolean, what: string) => {
    if (!holds) throw new Error(`${where}: ${what}: ${response.body}`);
  };
  expect(problem.status === status, 'status is not the HTTP status');
  expect(problem.type === `/problems/${String(problem.kind)}`, 'type does not follow from kind');
  expect(path.split('?')[0]!.startsWith(String(problem.instance)), 'instance is not the path');
  expect((problem.kind === 'invalid-input') === Array.isArray(problem.errors), 'errors goes with invalid-input');
  expect(!retryKinds.has(String(problem.kind)) || /^[1-9]\d*$/.test(String(headers['retry-after'])), 'no Retry-After');
  expect(status !== 401 || String(headers['www-authenticate']).startsWith('Bearer'), 'no WWW-Authenticate');
  expect(status !== 405 || typeof headers.allow === 'string', 'no Allow');
}

/** The path of the document that a request's path belongs to: one without parameters before one with. */
function findTemplate(document: OpenApiDocument, method: string, path: string): string | null {
  const candidates = Object.keys(document.paths).filter((template) => {
    const pattern = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+');
    return new RegExp(`^${pattern}$`).test(path) && document.paths[template]![method.toLowerCase()] !== undefined;
  });
  return candidates.sort((a, b) => a.split('{').length - b.split('{').length)[0] ?? null;
}

function escapePart(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}
