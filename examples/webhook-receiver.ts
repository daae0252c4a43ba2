/**
 * Receives webhooks and checks their signatures (Standard Webhooks 1.0). Run it with the secret that `POST /v1/webhooks`
 * showed: `SECRET=whsec_… npx node examples/webhook-receiver.ts`; it listens on port 8080 of this machine unless PORT says.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const key = Buffer.from((process.env.SECRET ?? '').replace('whsec_', ''), 'base64');

createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()).toString();
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': given = '' } = request.headers;
  const wanted = Buffer.from(`v1,${createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')}`);
  const isOurs = String(given)
    .split(' ')
    .some((each) => each.length === wanted.length && timingSafeEqual(Buffer.from(each), wanted));
  const isFresh = Math.abs(Date.now() / 1_000 - Number(time)) < 300;
  if (isOurs && isFresh) console.log(id, body); // Here: remember the id, and do nothing for one that came before.
  response.writeHead(isOurs && isFresh ? 204 : 401).end();
}).listen(Number(process.env.PORT ?? 8080), '127.0.0.1');
