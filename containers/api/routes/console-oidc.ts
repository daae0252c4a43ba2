import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  type Core,
  CouponError,
  errorKinds,
  invalidInput,
  type OidcConfig,
  refuse,
  signInAsPerson,
} from '../../../core/index.ts';
import { failedSignInPage } from '../answers/sign-in-page.ts';
import {
  clearCookie,
  flowCookie,
  readCookie,
  requireSafeConnection,
  sessionCookie,
  writeCookie,
} from '../auth/cookies.ts';
import type { Oidc, SignInFlow } from '../auth/oidc.ts';
import { takeSignIn } from '../auth/take-sign-in.ts';
import { type Api, routes } from './api.ts';

const callbackPath = '/console/oidc/callback';

/**
 * The company's sign-in to the console, where one is configured. A browser goes there and is led back here, so what is
 * refused is said on a page, and nothing in an address says where to go next.
 */
export const consoleOidcRoutes = routes('console-oidc-routes', async (app) => {
  const { oidc } = app.core.config;
  if (oidc === null) return;
  // The library is read only where it is used.
  const { openOidc } = await import('../auth/oidc.ts');
  addRoutes(app, oidc, openOidc(oidc, app.core.clock, app.core.log));
});

function addRoutes(app: Api, config: OidcConfig, oidc: Oidc): void {
  const { core } = app;
  const options = { config: { roles: 'public' }, schema: { hide: true } } as const;

  app.get('/console/oidc/start', options, (request, reply) =>
    orPage(reply, async () => {
      requireSafeConnection(request);
      await takeSignIn(core, request);
      const { address, flow } = await oidc.begin(originOf(request) + callbackPath);
      writeCookie(request, reply, flowCookie, [flow.state, flow.nonce, flow.verifier].join('.'));
      return reply.redirect(address.href, 303);
    }),
  );

  app.get(callbackPath, options, (request, reply) =>
    orPage(reply, async () => {
      requireSafeConnection(request);
      await takeSignIn(core, request);
      // Good for one return, whatever comes of it.
      clearCookie(request, reply, flowCookie);
      const returned = new URL(`${originOf(request)}${callbackPath}${queryOf(request)}`);
      const person = await oidc.finish(returned, readFlow(request));
      await signIn(core, request, reply, { issuer: config.issuer, ...person });
      return reply.redirect('/console/', 303);
    }),
  );
}

async function signIn(
  core: Core,
  request: FastifyRequest,
  reply: FastifyReply,
  person: Parameters<typeof signInAsPerson>[1],
): Promise<void> {
  const { secret } = await signInAsPerson(core, person, readCookie(request, sessionCookie));
  writeCookie(request, reply, sessionCookie, secret);
}

/** The issuer compares it with the addresses that it was told of, so a made-up Host leads nowhere. */
function originOf(request: FastifyRequest): string {
  const origin = `${request.protocol}://${request.headers.host}`;
  if (URL.canParse(origin) && new URL(origin).origin === origin.toLowerCase()) return origin;
  throw invalidInput('Host', 'must be a host, with a port or without');
}

/** As it came, with its question mark; an empty text: none. */
function queryOf({ url }: FastifyRequest): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start);
}

function readFlow(request: FastifyRequest): SignInFlow {
  const parts = /^([\w-]{43})\.([\w-]{43})\.([\w-]{43})$/.exec(readCookie(request, flowCookie) ?? '');
  if (parts === null)
    throw refuse('unauthenticated', 'No sign-in was begun here.', { refused: 'oidc: not begun here' });
  const [, state, nonce, verifier] = parts as unknown as [string, string, string, string];
  return { state, nonce, verifier };
}

/** Answers a refusal with a page for the person who looks at it. Anything else is answered as everywhere. */
async function orPage(reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CouponError)) throw error;
    reply.request.refusal = error.refusal;
    return reply
      .code(errorKinds[error.kind].status)
      .type('text/html; charset=utf-8')
      .send(failedSignInPage(error.kind));
  }
}
