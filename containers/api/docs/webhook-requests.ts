import { type EventType, subscribableTypes } from '../../../core/index.ts';

const describedHeaders = {
  'webhook-id': ['Names the event, the same at each attempt and replay: what came twice has it twice.', 'evt_0193a6f0'],
  'webhook-timestamp': ['When this attempt was made, in seconds since 1970. Refuse what is minutes old.', '1795780000'],
  'webhook-signature': [
    '`v1,` and base64 of the HMAC-SHA256 of id, timestamp and body, joined by full stops. Several, with spaces between them, while a secret is changed.',
    'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  ],
} as const;

const parameters = Object.entries(describedHeaders).map(([name, [description, example]]) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
  example,
}));

const responses = {
  '2XX': { description: 'Taken. Answer within 15 seconds, and work afterwards.' },
  '410': { description: 'The webhook is disabled at once.' },
  default: {
    description:
      'A failure, a redirect too: it is sent again after 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h. `Retry-After` is heeded with 429 and 503.',
  },
};

/** What is sent to webhooks, as the section of that name of the OpenAPI document. */
export function webhookRequests(): Record<string, object> {
  const types: EventType[] = [...subscribableTypes, 'webhook.test'];
  return Object.fromEntries(types.map((type) => [type, { post: requestOf(type) }]));
}

function requestOf(type: EventType): object {
  const schema = {
    allOf: [
      { $ref: '#/components/schemas/WebhookEvent' },
      {
        type: 'object',
        properties: {
          type: { type: 'string', enum: [type] },
          data: { $ref: `#/components/schemas/${dataOf(type)}` },
        },
      },
    ],
  };
  return {
    summary: type,
    description: `Sent to webhooks that want to be told of \`${type}\`, at least once; those of one coupon in the order of \`rev\`.`,
    tags: ['webhooks'],
    security: [],
    parameters,
    requestBody: { required: true, content: { 'application/json': { schema } } },
    responses,
  };
}

function dataOf(type: EventType): string {
  if (type.startsWith('coupon.')) return 'CouponEventData';
  if (type.startsWith('book.')) return 'BookEventData';
  return type === 'job.finished' ? 'JobEventData' : 'TestEventData';
}
