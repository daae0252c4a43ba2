import type { FastifyError, FastifySchemaValidationError } from 'fastify';
import {
  CouponError,
  describeProblems,
  invalidInput,
  invalidInputs,
  isConnectionLoss,
  isDiskFull,
  isLockTimeout,
  isTimeout,
  type Refusal,
} from '../../../core/index.ts';

/** Refusals for what the framework turns away, by its error codes. */
const refusalsByCode: Record<string, Refusal> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    kind: 'unsupported-media-type',
    detail: 'Send application/json; an upload of codes may be text/csv or application/x-ndjson as well.',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: { kind: 'body-too-large', detail: 'The body is larger than this address takes.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: inputRefusal('Content-Length', 'must be the number of bytes in the body'),
  FST_ERR_BAD_URL: inputRefusal('path', 'must be percent-encoded UTF-8'),
  FST_ERR_MAX_PARAM_LENGTH: inputRefusal('path', 'has a part that is too long'),
};

/**
 * Refusals for whatever else the framework or a plugin turns away, by the status that it has in mind. Files of the
 * documentation, which plugins serve, are the only things with versions and ranges.
 */
const refusalsByStatus: Record<number, Refusal> = {
  // What plugins forbid are paths that lead out of their own files: there is nothing for anybody.
  403: { kind: 'not-found', detail: 'There is no file with this path.' },
  404: { kind: 'not-found', detail: 'There is nothing at this address.' },
  408: inputRefusal('request', 'did not arrive in time'),
  412: {
    kind: 'revision-mismatch',
    detail: 'The file is not the one that If-Match or If-Unmodified-Since names. Ask without them.',
  },
  413: { kind: 'body-too-large', detail: 'The body is larger than this address takes.' },
  415: { kind: 'unsupported-media-type', detail: 'Send application/json.' },
  416: inputRefusal('Range', 'must be bytes that the file has; leave it out for the whole file'),
  429: { kind: 'rate-limited', detail: 'Too many requests came at once.' },
};
const otherRefusal = inputRefusal('request', 'is not one that can be understood; see /docs');

/** A transaction whose COMMIT was lost says so itself; what else the database did not answer has changed nothing. */
const databaseAway: Refusal = {
  kind: 'unavailable',
  outcome: 'not-begun',
  detail: 'The database can’t be reached or is too slow. Repeat the request with the same Idempotency-Key.',
  retryAfterSeconds: 1,
};

const databaseFull: Refusal = {
  ...databaseAway,
  detail: 'The database can’t take writes now. Repeat the request with the same Idempotency-Key.',
};

const heldElsewhere: Refusal = {
  kind: 'unavailable',
  outcome: 'not-begun',
  detail:
    'Something that this request needs is held by another one for longer than usual. Repeat it with the same Idempotency-Key.',
  retryAfterSeconds: 1,
};

/**
 * Finds the refusal that a thrown value stands for. Whatever says of itself that it is the request's fault (a status of
 * 400 to 499) is one: no request may make an answer that looks like a fault of ours, and rings an alarm.
 * @returns null where it is a bug or a broken machine, about which the client learns nothing
 */
export function refusalOfError(error: unknown): Refusal | null {
  if (error instanceof CouponError) return error.refusal;
  if (isDiskFull(error)) return databaseFull;
  if (isLockTimeout(error)) return heldElsewhere;
  if (isConnectionLoss(error) || isTimeout(error)) return databaseAway;
  if (!(error instanceof Error)) return null;
  const { code, statusCode, validation, validationContext } = error as Partial<FastifyError>;
  if (validation !== undefined) return validationRefusal(validation, validationContext);
  if (code !== undefined && refusalsByCode[code] !== undefined) return refusalsByCode[code];
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return null;
  return refusalsByStatus[statusCode] ?? otherRefusal;
}

function validationRefusal(validation: FastifySchemaValidationError[], part: string | undefined): Refusal {
  return invalidInputs(describeProblems(validation, part === 'body')).refusal;
}

function inputRefusal(path: string, message: string): Refusal {
  return invalidInput(path, message).refusal;
}
