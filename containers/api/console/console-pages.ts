import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { sendProblem } from '../answers/problems.ts';
import { type ConsoleFile, readConsoleFiles } from './console-files.ts';

const prefix = '/console';

/**
 * The console runs its own files and asks its own server, and nothing else: no script or style within a page, no frame
 * around it, and no text that becomes markup.
 */
const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
};

/** A name with a hash in it never stands for another content. */
const forEver = 'public, max-age=31536000, immutable';
/** May be kept, and is asked for anew each time: it names the files of the version that runs. */
const askedAnew = 'no-cache';

/**
 * Adds `/console`: the pages for people, out of files that were built before. Where they were not, the address is as
 * unknown as any other. An address below it that is no file is a view of the page.
 */
export const consolePages = fp(
  async (app) => {
    const files = readConsoleFiles();
    // For everybody, as they hold no data: what they show is asked for with a session.
    const hidden = { config: { roles: 'public' }, schema: { hide: true } } as const;
    const sendPage = (request: FastifyRequest, reply: FastifyReply) => {
      if (files === null) {
        const detail = 'The console has not been built: npm run build:console builds it.';
        return sendProblem(reply, { kind: 'not-found', detail });
      }
      return send(request, reply.headers(pageHeaders).header('cache-control', askedAnew), files.page);
    };
    app.get(prefix, hidden, sendPage);
    app.get(`${prefix}/*`, hidden, sendPage);
    app.get<{ Params: { name: string } }>(`${prefix}/assets/:name`, hidden, (request, reply) => {
      const file = files?.assets.get(request.params.name);
      if (file === undefined) return sendProblem(reply, { kind: 'not-found', detail: 'The console has no such file.' });
      return send(request, reply.header('cache-control', forEver), file);
    });
  },
  { name: 'console-pages', dependencies: ['guard', 'answer-headers'] },
);

function send({ headers }: FastifyRequest, reply: FastifyReply, { type, plain, codings }: ConsoleFile): FastifyReply {
  reply.type(type).header('vary', 'accept-encoding');
  const taken = takenCodings(headers['accept-encoding'] ?? '');
  for (const [coding, content] of codings) {
    if (taken.has(coding)) return reply.header('content-encoding', coding).send(content);
  }
  return reply.send(plain);
}

/** The codings that a client names and does not rule out. */
function takenCodings(accepted: string): Set<string> {
  const ranges = accepted.split(',').map((range) => range.split(';').map((part) => part.trim().toLowerCase()));
  return new Set(
    ranges
      .filter(([, ...parameters]) => !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)))
      .map(([coding = '']) => coding),
  );
}
