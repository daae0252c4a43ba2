import { type Clock, type Environment, signAwsRequest } from '../../core/index.ts';
import { requireVariable } from '../environment.ts';
import type { TopicMessage } from './write-mail.ts';

/** A topic that messages are published to. */
export interface Topic {
  /**
   * Resolves once SNS has the message for good.
   * @throws Error with SNS's own code where it refuses; after a time-out it may have it all the same
   */
  publish(message: TopicMessage): Promise<void>;
}

const publishTimeoutMillis = 5_000;
const publishAttempts = 2;

/**
 * Opens a topic by the rights of the function's role. SNS's API is one signed form, so no client of AWS is bundled,
 * which would be most of the function.
 * @param env Lambda's own variables: the role's credentials, and where an emulator is
 */
export function openTopic(arn: string, env: Environment, clock: Pick<Clock, 'now'>): Topic {
  const [, partition, , region] = arn.split(':') as [string, string, string, string];
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(env.AWS_ENDPOINT_URL_SNS ?? env.AWS_ENDPOINT_URL ?? `https://sns.${region}.${suffix}/`);
  const credentials = {
    accessKeyId: requireVariable(env, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: requireVariable(env, 'AWS_SECRET_ACCESS_KEY'),
    ...(env.AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: env.AWS_SESSION_TOKEN }),
  };
  const send = async (body: string): Promise<Response> => {
    const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    const signature = { credentials, region, service: 'sns', now: clock.now() };
    const headers = await signAwsRequest({ method: 'POST', url, headers: form, body }, signature);
    return fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(publishTimeoutMillis) });
  };
  return {
    async publish(message) {
      const body = formOf(arn, message);
      for (let attempt = 1; ; attempt += 1) {
        const isLast = attempt === publishAttempts;
        const answer = await send(body).catch((error: unknown) => {
          if (isLast) throw new Error('SNS did not answer', { cause: error });
          return null;
        });
        if (answer?.ok) return;
        if (answer !== null && (isLast || answer.status < 500)) {
          const [, code] = /<Code>(\w+)<\/Code>/.exec(await answer.text()) ?? [];
          throw new Error(`SNS answered ${answer.status} ${code ?? ''}`.trim());
        }
      }
    },
  };
}

function formOf(arn: string, { subject, text, attributes }: TopicMessage): string {
  const form = new URLSearchParams({ Action: 'Publish', Version: '2010-03-31', TopicArn: arn });
  form.set('Subject', subject);
  form.set('Message', text);
  for (const [index, [name, value]] of Object.entries(attributes).entries()) {
    const entry = `MessageAttributes.entry.${index + 1}`;
    form.set(`${entry}.Name`, name);
    form.set(`${entry}.Value.DataType`, 'String');
    form.set(`${entry}.Value.StringValue`, value);
  }
  return form.toString();
}
