import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import {
  authenticateSession,
  type Core,
  endOwnSessions,
  endSession,
  endSessionById,
  invalidInput,
  limits,
  listOwnSessions,
  listSessionsOfTenant,
  type NewSession,
  oneOf,
  readSession,
  refuse,
  SessionView,
  signInWithKey,
  signInWithLink,
  strictObject,
} from '../../../core/index.ts';
import { clearCookie, readCookie, requireSafeConnection, sessionCookie, writeCookie } from '../auth/cookies.ts';
import { isSessionUse } from '../auth/identify.ts';
import { admins, codeReaders } from '../auth/roles.ts';
import { requireSameOrigin } from '../auth/same-origin.ts';
import { takeSignIn } from '../auth/take-sign-in.ts';
import { type Api, routes } from './api.ts';

/** How one may sign in here. */
const SignInWith = Type.Array(oneOf(['key', 'oidc']));

const Session = Type.Object({ ...SessionView.properties, signInWith: SignInWith });
type Session = Static<typeof Session>;

const SignIn = strictObject({
  key: Type.Optional(Type.String({ minLength: 1, maxLength: limits.apiKeyMaxChars })),
  link: Type.Optional(Type.String({ minLength: 1, maxLength: limits.apiKeyMaxChars })),
});

const noContent = Type.Null();

/**
 * The routes by which people come into the console and leave it. They are the console's own and no part of the API's
 * contract, so the OpenAPI document leaves them out.
 */
export const consoleSessionRoutes = routes('console-session-routes', (app) => {
  addSignIn(app);
  addCurrentSession(app);
  addSessions(app);
});

function addSignIn(app: Api): void {
  const { core } = app;

  app.get(
    '/console/sign-in',
    { config: { roles: 'public' }, schema: { hide: true, response: { 200: Type.Object({ signInWith: SignInWith }) } } },
    async () => ({ signInWith: waysToSignIn(core) }),
  );

  app.post(
    '/console/session',
    {
      config: { roles: 'public', idempotent: false },
      schema: { hide: true, body: SignIn, response: { 200: Session } },
    },
    async (request, reply) => {
      requireSameOrigin(request);
      requireSafeConnection(request);
      await takeSignIn(core, request);
      const { key, link } = request.body;
      const former = readCookie(request, sessionCookie);
      if ((key === undefined) === (link === undefined)) throw invalidInput('/key', 'must be there, or else link');
      const begun =
        key === undefined ? await signInWithLink(core, link!, former) : await signInWithKey(core, key, former);
      return answerSignIn(core, request, reply, begun);
    },
  );
}

function addCurrentSession(app: Api): void {
  const { core } = app;

  app.get(
    '/console/session',
    { config: { roles: 'public' }, schema: { hide: true, response: { 200: Session } } },
    async (request) => {
      requireSameOrigin(request);
      const secret = readCookie(request, sessionCookie);
      const isKnown = secret !== null && (await authenticateSession(core, secret, isSessionUse(request))) !== null;
      const session = isKnown ? await readSession(core, secret) : null;
      if (session !== null) return { ...session, signInWith: waysToSignIn(core) };
      throw refuse('unauthenticated', 'Nobody is signed in. Sign in with a key.', { refused: 'session: none' });
    },
  );

  app.delete(
    '/console/session',
    { config: { roles: 'public' }, schema: { hide: true, response: { 204: noContent } } },
    async (request, reply) => {
      requireSameOrigin(request);
      const secret = readCookie(request, sessionCookie);
      if (secret !== null) await endSession(core, secret);
      clearCookie(request, reply, sessionCookie);
      return reply.code(204).send(null);
    },
  );
}

/** The sessions of whoever asks, those of the same key or person in other browsers too; for admins, of the tenant. */
function addSessions(app: Api): void {
  const { core } = app;

  app.get(
    '/console/sessions',
    {
      config: { roles: codeReaders },
      schema: { hide: true, response: { 200: Type.Object({ data: Type.Array(SessionView) }) } },
    },
    async ({ caller }) => ({ data: await listOwnSessions(core, caller) }),
  );

  app.get(
    '/console/tenant-sessions',
    {
      config: { roles: admins },
      schema: { hide: true, response: { 200: Type.Object({ data: Type.Array(SessionView) }) } },
    },
    async ({ caller }) => ({ data: await listSessionsOfTenant(core, caller) }),
  );

  app.delete(
    '/console/sessions',
    { config: { roles: codeReaders }, schema: { hide: true, response: { 204: noContent } } },
    async (request, reply) => {
      await endOwnSessions(core, request.caller);
      clearCookie(request, reply, sessionCookie);
      return reply.code(204).send(null);
    },
  );

  app.delete(
    '/console/sessions/:id',
    {
      config: { roles: codeReaders },
      schema: { hide: true, params: Type.Object({ id: Type.String() }), response: { 204: noContent } },
    },
    async (request, reply) => {
      await endSessionById(core, request.caller, request.params.id);
      return reply.code(204).send(null);
    },
  );
}

function answerSignIn(
  core: Core,
  request: FastifyRequest,
  reply: FastifyReply,
  { secret, session }: NewSession,
): Session {
  writeCookie(request, reply, sessionCookie, secret);
  return { ...session, signInWith: waysToSignIn(core) };
}

function waysToSignIn({ config }: Core): Static<typeof SignInWith> {
  return config.oidc === null ? ['key'] : ['key', 'oidc'];
}
