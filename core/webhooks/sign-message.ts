import { createHmac, hash } from 'node:crypto';

/** A message as it goes over the wire: the very bytes that were signed. */
export interface Message {
  /** The same for ever for one event, so that receivers can tell repeats. It has no full stop. */
  id: string;
  /** When it is sent: whole seconds since the Unix epoch. */
  timestamp: number;
  body: string;
}

/** The secret as its owner keeps it: `whsec_` and base64. */
export function secretText(key: Uint8Array): string {
  return `whsec_${Buffer.from(key).toString('base64')}`;
}

/**
 * The headers of Standard Webhooks 1.0 (test: "the reference library accepts what is sent"). Every secret that is good
 * signs, the newest first, so that a receiver may change its own at any moment of a day.
 * @param keys at least one
 */
export function signedHeaders(message: Message, keys: readonly Uint8Array[]): Record<string, string> {
  const { id, timestamp, body } = message;
  const signatures = keys.map((key) => {
    const signed = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    return `v1,${signed}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}

/**
 * The id of a message about something: a hash, so that it tells nothing, and is the same whenever it is computed.
 * @param name what names it among everything that can be told of, made of public ids that nobody can guess
 */
export function messageId(name: string): string {
  return `evt_${hash('sha256', name, 'hex').slice(0, 32)}`;
}
