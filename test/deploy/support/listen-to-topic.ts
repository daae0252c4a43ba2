import type { Account } from './account.ts';

/** A message that a topic's subscriber got. */
export interface TopicMessage {
  Subject: string;
  Message: string;
  MessageAttributes: Record<string, { Value: string }>;
}

/** Listens to a topic as somebody who has subscribed to it by mail would. */
export interface TopicListener {
  /** What has come since it was asked last. */
  read(): Promise<TopicMessage[]>;
}

/**
 * Subscribes a queue of an emulated account to a topic.
 * @param name the queue's
 * @param filter the messages that are wanted, by their attributes; all of them unless given
 */
export async function listenToTopic(
  account: Account,
  topicArn: string,
  name: string,
  filter?: Record<string, string[]>,
): Promise<TopicListener> {
  const ask = (action: string, body: object) => account.call('sqs', { target: `AmazonSQS.${action}`, body });
  const { QueueUrl } = (await ask('CreateQueue', { QueueName: name })) as { QueueUrl: string };
  const [, , , region, owner] = topicArn.split(':');
  await account.callByForm('sns', {
    Action: 'Subscribe',
    TopicArn: topicArn,
    Protocol: 'sqs',
    Endpoint: `arn:aws:sqs:${region}:${owner}:${name}`,
    ...(filter === undefined
      ? {}
      : { 'Attributes.entry.1.key': 'FilterPolicy', 'Attributes.entry.1.value': JSON.stringify(filter) }),
  });
  return {
    async read() {
      const received = await ask('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 });
      const messages = (received.Messages ?? []) as { Body: string; ReceiptHandle: string }[];
      for (const { ReceiptHandle } of messages) await ask('DeleteMessage', { QueueUrl, ReceiptHandle });
      return messages.map(({ Body }) => JSON.parse(Body) as TopicMessage);
    },
  };
}
