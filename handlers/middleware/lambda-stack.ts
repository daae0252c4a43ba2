import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Log } from '../../core/index.ts';
import { answerCloudFormation } from './answer-cloudformation.ts';

/** What an operation is given besides its event. */
export interface Invocation {
  log: Log;
  metrics: Metrics;
  /** The same for every retry that Lambda makes of one event. */
  requestId: string;
}

/** Enough time to tell CloudFormation, with retries, that the function's time is over. */
const timeToAnswerMillis = 10_000;

/**
 * The stack that every function uses: context in the logs, metrics, an answer to CloudFormation, and an end before
 * Lambda's time-out. The event is never logged, because a custom resource's contains a credential.
 * @param name the function's name in logs and metrics
 */
export function lambdaStack<Event, Result>(
  name: string,
  operation: (event: Event, invocation: Invocation) => Promise<Result>,
) {
  const logger = new Logger({ serviceName: `qurable-${name}` });
  // The namespace is the stage's (POWERTOOLS_METRICS_NAMESPACE): two stages of an account are two dashboards.
  const metrics = new Metrics({ serviceName: `qurable-${name}` });
  const log = coreLog(logger);
  return middy<Event, Result>({
    timeoutEarlyInMillis: timeToAnswerMillis,
    timeoutEarlyResponse: () => {
      throw new OutOfTime(name);
    },
    requestEnd: ({ error }) => {
      // Otherwise the rest of the operation would go on when Lambda wakes the process for another event, for example
      // after a migration was reported as failed. Ending the process ends its connections and their transactions.
      if (error instanceof OutOfTime) process.exit(1);
    },
  })
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(logMetrics(metrics, { captureColdStartMetric: true }))
    .use(answerCloudFormation(log))
    .handler((event: Event, context: { awsRequestId: string }) =>
      operation(event, { log, metrics, requestId: context.awsRequestId }),
    );
}

class OutOfTime extends Error {
  override name = 'OutOfTime';
  constructor(name: string) {
    super(`${name} did not finish in the time that its function has; what it had not completed does not take effect`);
  }
}

/** The core logs fields first. */
function coreLog(logger: Logger): Log {
  return {
    info: (fields, message) => logger.info(message, { ...fields }),
    warn: (fields, message) => logger.warn(message, { ...fields }),
    error: (fields, message) => logger.error(message, { ...fields }),
  };
}
