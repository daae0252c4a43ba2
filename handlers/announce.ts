import { systemClock } from '../core/index.ts';
import { readNews } from './announce/read-news.ts';
import { openTopic } from './announce/topic.ts';
import { writeMail } from './announce/write-mail.ts';
import { requireVariable } from './environment.ts';
import { lambdaStack } from './middleware/lambda-stack.ts';

/**
 * Tells those who have subscribed to the stage's topic of books that a book has few codes left, or none. Outside of the
 * VPC, called by the API's tasks, which have no way to SNS. It answers once SNS has taken it over.
 */
export const handler = lambdaStack('announce', async (event: unknown) => {
  const topic = openTopic(requireVariable(process.env, 'ANNOUNCE_TOPIC_ARN'), process.env, systemClock);
  await topic.publish(writeMail(readNews(event)));
  return { announced: true };
});
