import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { buildApp } from '../../containers/api/app.ts';
import { type Drain, makeDrain } from '../../containers/api/drain.ts';
import { openLog } from '../../containers/api/observe/log.ts';
import { type Metrics, openMetrics } from '../../containers/api/observe/metrics.ts';
import type { Output } from '../../containers/api/observe/output.ts';
import { type Clock, type Core, closeCore, openCore, silentLog, systemClock } from '../../core/index.ts';
import { testConfig, testSecrets } from '../support/open-test-core.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { makeResponseCheck, type OpenApiDocument, type ResponseCheck } from './openapi-check.ts';

/** A body with the fields that tests look at. Which of them are there, the check against the document has settled. */
export interface Body {
  id: string;
  code: string;
  deckId: string;
  kind: string;
  status: string;
  rev: number;
  lockToken: string;
  secret: string;
  redemption: { id: string; seq: number; at: string; reference: string | null };
  errors: { path: string; message: string }[];
  adminKey: Body;
  data: Body[];
  results: Body[];
  nextCursor: string | null;
  [field: string]: unknown;
}

/** An answer of the API. */
export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: Body;
  text: string;
}

/** What a call may bring beside method and path. */
export interface CallOptions {
  /** A token; null: none. The root key unless given. */
  as?: string | null;
  /** Sent as JSON, unless it is a text or bytes. */
  body?: unknown;
  headers?: Record<string, string>;
  key?: string;
}

/** An API over a database of a test file's own. */
export interface TestApi {
  app: FastifyInstance;
  core: Core;
  database: TestDatabase;
  drain: Drain;
  metrics: Metrics;
  document: OpenApiDocument;
  /** Lines that were logged, as objects. */
  logged: Record<string, unknown>[];
  check: ResponseCheck;
  /**
   * Sends a request into the application and checks the answer against the served OpenAPI document. What waited too
   * long on a machine that stalls is sent again, as clients do.
   */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

/** No request is turned away for having waited before this time; a refusal that comes sooner has another reason. */
const stallMillis = 1_000;

/** The tests' root key. */
export const rootKey = testSecrets.QURABLE_ADMIN_KEY;

/**
 * Opens an API without a port over a new database. Every answer that `call` gives has been checked against the
 * document that the API serves.
 * @param more environment variables beside the tests' own
 */
export async function startTestApi(
  name: string,
  more: Record<string, string> = {},
  clock: Clock = systemClock,
): Promise<TestApi> {
  const database = await createTestDatabase(name);
  const core = await openCore(testConfig(database.url, more), { log: silentLog, clock });
  const logged: Record<string, unknown>[] = [];
  const { log } = openLog('info', { output: outputInto(logged) });
  const drain = makeDrain();
  const metrics = openMetrics({ queueAgeMillis: () => core.batches.queueAgeMillis() });
  const app = await buildApp(core, { log, metrics, drain });
  const document = (await app.inject('/openapi.json')).json() as OpenApiDocument;
  const check = makeResponseCheck(document);
  return {
    app,
    core,
    database,
    drain,
    metrics,
    document,
    logged,
    check,
    call: async (method, path, options = {}) => {
      for (;;) {
        const began = performance.now();
        const response = await app.inject(requestOf(method, path, options));
        const { statusCode: status, headers, payload: text } = response;
        if (method !== 'HEAD') check({ method, path, status, headers, body: text });
        const body = /json/.test(String(headers['content-type'])) ? JSON.parse(text) : {};
        const isSafe = method === 'GET' || options.key !== undefined || body.outcome === 'not-begun';
        if (status !== 503 || !isSafe || performance.now() - began < stallMillis) {
          return { status, headers, text, body };
        }
        await sleep(Number(headers['retry-after']) * 1_000);
      }
    },
    close: async () => {
      await app.close();
      await closeCore(core);
      await database.drop();
    },
  };
}

function outputInto(logged: Record<string, unknown>[]): Output {
  const write = (line: string) => void logged.push(JSON.parse(line));
  return {
    write,
    writeNow: async (line) => write(line),
    flush: async () => {},
    droppedLines: () => 0,
    isTerminal: false,
  };
}

function requestOf(
  method: string,
  path: string,
  { as = rootKey, body, headers = {}, key }: CallOptions,
): InjectOptions {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  return {
    method: method as NonNullable<InjectOptions['method']>,
    url: path,
    headers: {
      ...(as === null ? {} : { authorization: `Bearer ${as}` }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: isRaw ? body : JSON.stringify(body) }),
  };
}

/** Signs a JWT as the tests' issuer would, with whatever claims and header are given. */
export function signJwt(
  claims: object,
  secret = testSecrets.JWT_SECRET,
  header: object = { alg: 'HS256', typ: 'JWT' },
) {
  const input = `${encodePart(header)}.${encodePart(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** A good token: `admin`, `operator`, `redeemer` or `customer` of the tenant. */
export function tokenOf(role: string, sub = `${role}-1`, tenant = 'default'): string {
  return signJwt({ sub, role, tenant, exp: Math.floor(systemClock.now() / 1000) + 3600 });
}

/** One part of a JWT. */
export function encodePart(value: object | string): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}
