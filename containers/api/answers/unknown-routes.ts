import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { sendProblem } from './problems.ts';

interface KnownPath {
  matches: RegExp;
  methods: Set<string>;
}

/**
 * Answers what no route takes: 405 with `Allow` where the path has routes for other methods, else 404, whatever the
 * body is, which nobody reads.
 */
export const unknownRoutes = fp(
  async (app) => {
    const paths = new Map<string, KnownPath>();
    app.addHook('onRoute', (route) => {
      // That of preflight requests, which is there for every path.
      if (route.url === '*') return;
      const known = paths.get(route.url) ?? { matches: patternOf(route.url), methods: new Set<string>() };
      for (const method of [route.method].flat()) known.methods.add(method.toUpperCase());
      paths.set(route.url, known);
    });
    // Done in a hook: before a handler, the framework reads the body, and would refuse one that it can't read.
    app.addHook('onRequest', (request, reply, done) => {
      if (request.is404) answer([...paths.values()], request, reply);
      else done();
    });
    // Hooks run only for a handler that was set.
    app.setNotFoundHandler((request, reply) => answer([...paths.values()], request, reply));
  },
  { name: 'unknown-routes', dependencies: ['ambiguous-requests', 'cross-origin'] },
);

function answer(paths: KnownPath[], request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0]!;
  const methods = new Set(paths.filter(({ matches }) => matches.test(path)).flatMap((known) => [...known.methods]));
  // A route that took the method and found nothing has the method: what is missing is the thing itself.
  if (methods.size === 0 || methods.has(request.method)) {
    return sendProblem(reply, { kind: 'not-found', detail: 'There is no route with this path; see /docs.' });
  }
  const allow = [...methods].sort().join(', ');
  return sendProblem(reply, {
    kind: 'method-not-allowed',
    detail: `${request.method} is not among this address’s methods: ${allow}.`,
    allow,
  });
}

/** `/v1/books/:bookId` as a pattern of paths; a `*` at the end stands for anything. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    if (part === '*') return '.*';
    return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
