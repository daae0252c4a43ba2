import type { FastifyReply } from 'fastify';
import { errorKinds, type Refusal } from '../../../core/index.ts';
import type { Problem } from '../schemas/problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Why it was refused, once it was; the log and the metrics tell. */
    refusal: Refusal | null;
  }
}

/** Longer texts are cut in problem documents: they repeat what the client sent, which may be as long as a body. */
const instanceMaxChars = 512;
const pathMaxChars = 256;
const textMaxChars = 1_024;

/** Kinds after which a client should come back, and when where nothing better is known. */
const defaultRetrySeconds: Partial<Record<Refusal['kind'], number>> = {
  'rate-limited': 1,
  unavailable: 1,
  'code-locked': 1,
};

/** The address of the page about a kind. */
export function problemType(kind: Refusal['kind']): string {
  return `/problems/${kind}`;
}

/**
 * Writes a refusal as a problem document (RFC 9457).
 * @param url the request's address; its query is left out
 */
export function toProblem(refusal: Refusal, url: string): Problem {
  const { status, title } = errorKinds[refusal.kind];
  const problem: Problem = {
    type: problemType(refusal.kind),
    kind: refusal.kind,
    title,
    status,
    detail: cut(refusal.detail, textMaxChars),
    instance: pathOf(url),
  };
  if (refusal.errors !== undefined) {
    problem.errors = refusal.errors.map(({ path, message }) => {
      return { path: cut(path, pathMaxChars), message: cut(message, textMaxChars) };
    });
  }
  // A refusal that is about the body as a whole names no field of its own.
  else if (refusal.kind === 'invalid-input') problem.errors = [{ path: 'body', message: problem.detail }];
  if (refusal.outcome !== undefined) problem.outcome = refusal.outcome;
  if (refusal.rev !== undefined) problem.rev = refusal.rev;
  if (refusal.reason !== undefined) problem.reason = refusal.reason;
  return problem;
}

/** The headers that a refusal's kind brings along. */
export function problemHeaders(
  refusal: Pick<Refusal, 'kind' | 'retryAfterSeconds' | 'allow' | 'tokenFault'>,
): Record<string, string> {
  const headers: Record<string, string> = {};
  const retry = refusal.retryAfterSeconds ?? defaultRetrySeconds[refusal.kind];
  if (retry !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retry)));
  if (refusal.kind === 'unauthenticated') headers['www-authenticate'] = challenge(refusal);
  if (refusal.allow !== undefined) headers.allow = refusal.allow;
  return headers;
}

/** RFC 6750, section 3. Fault texts are the product's own and hold no quotation mark. */
function challenge({ tokenFault }: Pick<Refusal, 'tokenFault'>): string {
  return tokenFault === undefined ? 'Bearer' : `Bearer error="invalid_token", error_description="${tokenFault}"`;
}

/** Answers a request with a problem document. It is written here and not by a schema: every route shares its form. */
export function sendProblem(reply: FastifyReply, refusal: Refusal): FastifyReply {
  reply.request.refusal = refusal;
  return reply
    .code(errorKinds[refusal.kind].status)
    .headers(problemHeaders(refusal))
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(toProblem(refusal, reply.request.url)));
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return (end === -1 ? url : url.slice(0, end)).slice(0, instanceMaxChars);
}

/** The beginning of a text, which must stay well-formed where a pair of surrogates is cut. */
function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1).toWellFormed()}…`;
}
