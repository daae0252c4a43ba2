import type { IncomingMessage } from 'node:http';
import type { Core } from '../../../core/index.ts';

/** What a caller's own id may look like: short, and nothing that could break a log line. */
const acceptable = /^[A-Za-z0-9._:=+/-]{1,128}$/;

/**
 * Makes the naming of requests: the caller's `x-request-id` where it is a sane one, else a random prefix of this
 * process and a number, which is cheaper than a random id each and as unique.
 */
export function makeRequestIds(random: Core['random']): (request: IncomingMessage) => string {
  const prefix = random.bytes(9).toString('base64url');
  let count = 0;
  return (request) => {
    const given = request.headers['x-request-id'];
    if (typeof given === 'string' && acceptable.test(given)) return given;
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
