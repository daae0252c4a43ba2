import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { CouponError, type Log, loggable, type Refusal } from '../../../core/index.ts';
import { sendProblem } from './problems.ts';
import { refusalOfError } from './refusal-of-error.ts';

/** Answers whatever a hook or a handler throws with a problem document. */
export const problemAnswers = fp<{ log: Log }>(
  async (app, { log }) => {
    app.decorateRequest('refusal', null);
    app.setErrorHandler((error, request, reply) => answerError(error, request, reply, log));
  },
  { name: 'problems' },
);

/** Answers a thrown value: a refusal as itself, anything else as `internal`, about which only the log knows more. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): void {
  const refusal: Refusal = refusalOfError(error) ?? {
    kind: 'internal',
    detail: `Something unexpected happened. Name the request ${request.id} to the operator.`,
  };
  if (refusal.kind === 'internal' || (refusal.kind === 'unavailable' && !(error instanceof CouponError))) {
    log.error({ requestId: request.id, route: request.routeOptions.url, error: loggable(error) }, refusal.kind);
  }
  sendProblem(reply, refusal);
}
