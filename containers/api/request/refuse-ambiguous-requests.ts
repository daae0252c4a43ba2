import fp from 'fastify-plugin';
import { invalidInput } from '../../../core/index.ts';

/**
 * Refuses requests that a proxy in front may have read otherwise: two hosts, two tokens, or a version of HTTP that this
 * is not (RFC 9112, sections 2.3 and 3.2). Headers that come twice arrive joined by a comma and a space, which neither
 * a host nor a token has. It depends on what its refusals look like alone, and whatever else answers depends on it.
 */
export const ambiguousRequests = fp(
  async (app) => {
    app.addHook('onRequest', (request, _reply, done) => {
      const { host, authorization } = request.headers;
      if (request.raw.httpVersionMajor !== 1) done(invalidInput('request', 'must be HTTP/1.1 or HTTP/1.0'));
      else if (host?.includes(',')) done(invalidInput('Host', 'must be there once'));
      else if (authorization?.includes(', '))
        done(invalidInput('Authorization', 'must be there once, without a comma and a space'));
      else done();
    });
  },
  { name: 'ambiguous-requests', dependencies: ['answer-headers', 'problems'] },
);
