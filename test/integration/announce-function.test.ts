import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { openLambdaAnnouncer } from '../../containers/api/lambda-announcer.ts';
import type { Announcer, StockNews } from '../../core/index.ts';
import { silentLog } from '../../core/log.ts';
import { writeMail } from '../../handlers/announce/write-mail.ts';
import { handler } from '../../handlers/announce.ts';

const topicArn = 'arn:aws:sns:us-east-1:123456789012:qurable-dev-books';
const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:qurable-dev-announce';
const context = { functionName: 'qurable-dev-announce', awsRequestId: 'a', getRemainingTimeInMillis: () => 25_000 };
const news: StockNews = {
  tenant: 'default',
  bookId: '019aca2f-0000-7000-8000-000000000001',
  name: 'Promoción de otoño 🍂',
  stock: 'low',
  codes: 20,
  available: 2,
  at: '2026-11-28T15:00:00.000Z',
};
const announce = (event: unknown) => handler(event, context as unknown as Context);

/** Stands where SNS and Lambda are, and answers as they do. */
let aws: Server;
const published: { form: URLSearchParams; authorization: string }[] = [];
/** How SNS answers the next requests; where it is empty it takes them. */
const answers: [status: number, body: string][] = [];
const calls: unknown[] = [];
const before = { ...process.env };

beforeAll(async () => {
  aws = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    if (request.url?.includes('/functions/')) {
      calls.push(JSON.parse(body));
      const result = await announce(JSON.parse(body)).then(
        (answer) => ({ answer, headers: {} }),
        () => ({ answer: { errorMessage: 'no' }, headers: { 'x-amz-function-error': 'Unhandled' } }),
      );
      response.writeHead(200, result.headers).end(JSON.stringify(result.answer));
      return;
    }
    const [status, text] = answers.shift() ?? [200, '<PublishResponse/>'];
    if (status === 200)
      published.push({ form: new URLSearchParams(body), authorization: String(request.headers.authorization) });
    response.writeHead(status).end(text);
  });
  await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(aws.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    ANNOUNCE_TOPIC_ARN: topicArn,
  });
});
afterAll(async () => {
  process.env = before;
  aws.closeAllConnections();
  await new Promise((resolve) => aws.close(resolve));
});
afterEach(() => {
  for (const list of [published, answers, calls]) list.splice(0);
});

describe('the function that tells operators of books', () => {
  test('publishes the book by its name to the stage’s topic, signed, with what a subscription can choose by', async () => {
    expect(await announce(news)).toEqual({ announced: true });
    const [{ form, authorization }] = published as [(typeof published)[number]];
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=test\/\d{8}\/us-east-1\/sns\/aws4_request, /);
    expect(Object.fromEntries(form)).toMatchObject({
      Action: 'Publish',
      TopicArn: topicArn,
      Subject: 'Few codes left: Promocion de otono ?',
      Message: expect.stringContaining(
        'The book “Promoción de otoño 🍂” of the tenant default has 2 of its 20 codes left.',
      ),
      'MessageAttributes.entry.1.Name': 'type',
      'MessageAttributes.entry.1.Value.StringValue': 'book.low-stock',
      'MessageAttributes.entry.2.Value.StringValue': 'default',
      'MessageAttributes.entry.3.Value.StringValue': news.bookId,
    });
  });

  test('tries again where SNS fails, and is in error where it refuses, with SNS’s own word', async () => {
    answers.push([503, '']);
    await announce(news);
    expect(published).toHaveLength(1);
    answers.push([403, '<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>']);
    await expect(announce(news)).rejects.toThrow('SNS answered 403 AuthorizationError');
    expect(published).toHaveLength(1);
  });

  test.each([
    ['tenant', { ...news, tenant: '' }],
    ['stock', { ...news, stock: 'some' }],
    ['codes', { ...news, codes: -1 }],
    ['name', { ...news, name: 'n'.repeat(1_001) }],
    ['tenant', null],
  ])('is in error, naming %s, where it is called with anything else', async (named, event) => {
    await expect(announce(event)).rejects.toThrow(new RegExp(`^${named} `));
    expect(published).toEqual([]);
  });

  test.each(['plain', 'a\nb\tc', 'ñ'.repeat(200), '   ', '日本', '\u0000x'])(
    'writes a subject that SNS takes, whatever the book’s name is: %j',
    (name) => {
      for (const stock of ['low', 'none'] as const) {
        const { subject } = writeMail({ ...news, name, stock });
        expect(subject).toMatch(/^(Few|No) codes left:[\x20-\x7e]*$/);
        expect(subject.length).toBeLessThan(100);
      }
    },
  );
});

describe('a process that has a function tell operators', () => {
  const lines: [fields: object, message: string][] = [];
  let announcer: Announcer;
  beforeAll(async () => {
    const log = { ...silentLog, error: (fields: object, message: string) => void lines.push([fields, message]) };
    announcer = await openLambdaAnnouncer({ functionArn, log });
  });
  afterAll(() => announcer.close());

  test('hands on the news as it is, and has told once SNS has taken it', async () => {
    await announcer.announce(news);
    expect([calls, published.length]).toEqual([[news], 1]);
  });

  test('has not told where the function fails, and the log says so without the book’s name', async () => {
    answers.push([400, ''], [400, '']);
    await expect(announcer.announce(news)).rejects.toThrow('ended in an error');
    expect(lines).toEqual([[{ reason: 'AnnounceFailed' }, 'operators could not be told of a book']]);
    expect(published).toEqual([]);
  });
});
