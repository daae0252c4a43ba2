import type { MiddlewareObj } from '@middy/core';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import type { Log } from '../../core/index.ts';

/** Sends an answer to CloudFormation's one-time address; throws when it was not accepted. */
export type SendAnswer = (url: string, body: string) => Promise<void>;

/** CloudFormation accepts 4,096 bytes an answer; this leaves room for the other fields. */
const maxReasonCharacters = 1_500;
const answerAttempts = 4;
const answerTimeoutMillis = 10_000;
const firstPauseMillis = 250;

/** Whether an event comes from CloudFormation, which waits for an answer. */
export function isCloudFormationEvent(event: unknown): event is CloudFormationCustomResourceEvent {
  return typeof event === 'object' && event !== null && 'ResponseURL' in event && 'RequestType' in event;
}

/**
 * Answers CloudFormation for a handler that is used as a custom resource: SUCCESS with the handler's result, or FAILED
 * with the error's message. Delete gets SUCCESS at once and undoes nothing. Without an answer a deployment hangs for an
 * hour, so every path gives one. Other events pass through.
 *
 * For Lambda the invocation succeeds even if the answer was FAILED: otherwise Lambda would repeat the event, after the
 * deployment has been rolled back.
 * @param log never sees the event, whose address is a credential
 * @param send replaced by tests
 */
export function answerCloudFormation(log: Log, send: SendAnswer = putAnswer): MiddlewareObj {
  return {
    name: 'answerCloudFormation',
    before: async ({ event, context }) => {
      if (!isCloudFormationEvent(event) || event.RequestType !== 'Delete') return undefined;
      await send(event.ResponseURL, answerTo(event, context, 'SUCCESS', 'Nothing is undone when this is removed.'));
      return { status: 'SUCCESS' };
    },
    after: async ({ event, context, response }) => {
      if (!isCloudFormationEvent(event)) return;
      await send(event.ResponseURL, answerTo(event, context, 'SUCCESS', 'Done.', response));
    },
    onError: async (request) => {
      const { event, context, error } = request;
      if (!isCloudFormationEvent(event)) return;
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ error: reason }, 'answering CloudFormation that it failed');
      await send(event.ResponseURL, answerTo(event, context, 'FAILED', reason));
      request.response = { status: 'FAILED', reason };
    },
  };
}

/** The answer's text. The physical id never changes, or CloudFormation would send a Delete for the former one. */
function answerTo(
  event: CloudFormationCustomResourceEvent,
  context: Context,
  status: 'SUCCESS' | 'FAILED',
  reason: string,
  data?: unknown,
): string {
  const where = context.logStreamName ? ` (log stream ${context.logStreamName})` : '';
  return JSON.stringify({
    Status: status,
    Reason: reason.slice(0, maxReasonCharacters) + where,
    PhysicalResourceId: event.RequestType === 'Create' ? `${event.LogicalResourceId}-once` : event.PhysicalResourceId,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    ...(isFlat(data) ? { Data: data } : {}),
  });
}

/** What `Fn::GetAtt` can read: names with short texts and numbers. */
function isFlat(data: unknown): data is Record<string, string | number> {
  return (
    typeof data === 'object' &&
    data !== null &&
    !Array.isArray(data) &&
    Object.values(data).every((value) => typeof value === 'number' || (typeof value === 'string' && value.length < 200))
  );
}

/** The bytes are sent without a content type, because the address is signed for an empty one. */
async function putAnswer(url: string, body: string): Promise<void> {
  let last: unknown;
  for (let attempt = 0; attempt < answerAttempts; attempt += 1) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, firstPauseMillis * 2 ** attempt));
    try {
      const signal = AbortSignal.timeout(answerTimeoutMillis);
      const answer = await fetch(url, { method: 'PUT', body: Buffer.from(body), signal });
      if (answer.ok) return;
      last = new Error(`CloudFormation's address answered ${answer.status}`);
    } catch (error) {
      last = error;
    }
  }
  throw new Error('CloudFormation could not be answered', { cause: last });
}
