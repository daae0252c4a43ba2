import type { FastifyReply } from 'fastify';
import fp from 'fastify-plugin';

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
export const answerHeaders = fp(
  async (app) => {
    app.addHook('onRequest', (_request, reply, done) => {
      setHeaders(reply);
      done();
    });
  },
  { name: 'answer-headers' },
);

/** The same for an answer that is given before any hook runs. */
export function setHeaders(reply: FastifyReply): void {
  reply.headers(securityHeaders).header('x-request-id', reply.request.id);
}
