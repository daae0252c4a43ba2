import type { FastifyInstance, InjectOptions } from 'fastify';
import { buildApp } from '../../containers/api/app.ts';
import { openLog } from '../../containers/api/observe/log.ts';
import { openMetrics } from '../../containers/api/observe/metrics.ts';
import { type Clock, type Core, closeCore, openCore, silentLog, systemClock } from '../../core/index.ts';
import { testConfig } from '../support/open-test-core.ts';
import { type Body, rootKey, type TestApi } from './support.ts';

/** An answer as a browser sees it. */
export interface Seen {
  status: number;
  headers: Record<string, unknown>;
  body: Body;
}

/** What a call may bring beside method and path. */
export interface BrowserCall {
  body?: unknown;
  /** Beside what the browser sends by itself; undefined takes one of those away. */
  headers?: Record<string, string | undefined>;
}

/** A browser with the console open: it keeps cookies, and says where a request comes from. */
export interface Browser {
  /** Its Cookie header; an empty text: none. Tests may set it. */
  cookie: string;
  /** The last Set-Cookie header as it came. */
  readonly setCookie: string;
  call(method: string, path: string, call?: BrowserCall): Promise<Seen>;
  signIn(key?: string): Promise<Seen>;
}

/** Opens a browser without cookies on an application. */
export function openBrowser(app: FastifyInstance): Browser {
  let lastSetCookie = '';
  const browser: Browser = {
    cookie: '',
    get setCookie() {
      return lastSetCookie;
    },
    async call(method, path, { body, headers = {} } = {}) {
      const sent = {
        'sec-fetch-site': 'same-origin',
        ...(browser.cookie === '' ? {} : { cookie: browser.cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      };
      const given = Object.entries(sent).filter(([, value]) => value !== undefined);
      const response = await app.inject({
        method: method as NonNullable<InjectOptions['method']>,
        url: path,
        headers: Object.fromEntries(given),
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const setCookie = response.headers['set-cookie'];
      if (setCookie !== undefined) {
        lastSetCookie = [setCookie].flat().at(-1)!;
        browser.cookie = lastSetCookie.includes('Max-Age=0') ? '' : lastSetCookie.split(';')[0]!;
      }
      const isJson = /json/.test(String(response.headers['content-type']));
      return { status: response.statusCode, headers: response.headers, body: isJson ? response.json() : ({} as Body) };
    },
    signIn: (key = rootKey) => browser.call('POST', '/console/session', { body: { key } }),
  };
  return browser;
}

/** Another process of the same installation, whose clock tests can move on. */
export interface OtherProcess {
  app: FastifyInstance;
  core: Core;
  /** Lets time pass for what the process remembers. */
  pass(millis: number): void;
  close(): Promise<void>;
}

/**
 * Starts another process on the API's database.
 * @param base the clock that its time is counted from
 */
export async function startOtherProcess(
  api: TestApi,
  more: Record<string, string> = {},
  base: Clock = systemClock,
): Promise<OtherProcess> {
  let passedMillis = 0;
  const clock: Clock = { now: () => base.now() + passedMillis, monotonic: () => base.monotonic() + passedMillis };
  const core = await openCore(testConfig(api.database.url, more), { log: silentLog, clock });
  const { log } = openLog('silent');
  const app = await buildApp(core, { log, metrics: openMetrics({ queueAgeMillis: () => 0 }) });
  return {
    app,
    core,
    pass(millis) {
      passedMillis += millis;
    },
    async close() {
      await app.close();
      await closeCore(core);
    },
  };
}
