import type { FastifyInstance, FastifyReply } from 'fastify';

/**
 * What every answer says to browsers, by hand: answers hold people's data and are nothing to embed or to keep. The
 * documentation's pages bring a policy of their own.
 */
const securityHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** Sets the headers that every answer has, its request's id among them. */
export function setAnswerHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    setHeaders(reply);
    done();
  });
}

/** The same for an answer that is given before any hook runs. */
export function setHeaders(reply: FastifyReply): void {
  reply.headers(securityHeaders).header('x-request-id', reply.request.id);
}
