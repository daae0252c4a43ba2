/**
 * Receives webhooks and checks their signatures (Standard Webhooks 1.0), by nothing but Node. Run it with the secret
 * that `POST /v1/webhooks` showed: `SECRET=whsec_… npx node examples/webhook-receiver.ts`; it listens on port 8080 of
 * this machine unless PORT says. After a rotation start it with the new secret within 24 hours: until then both sign.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';

const key = Buffer.from((process.env.SECRET ?? '').replace('whsec_', ''), 'base64');
if (key.length < 24) throw new Error('SECRET must be the secret of a webhook: whsec_ and base64');
const bodyMaxBytes = 100_000;
/** An older message is somebody's repeat of what was overheard. */
const maxAgeSeconds = 300;
/** The ids of what was taken. Keep yours in your database for some days, in one transaction with what you do. */
const taken = new Set<unknown>();

/** Whether one of the signatures is over these very bytes, by our key, and young. */
function isGenuine({ 'webhook-id': id, 'webhook-timestamp': time, ...others }: IncomingHttpHeaders, body: Buffer) {
  const signature = createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest('base64');
  const wanted = Buffer.from(`v1,${signature}`);
  const given = String(others['webhook-signature']).split(' ');
  const isSigned = given.some((each) => each.length === wanted.length && timingSafeEqual(Buffer.from(each), wanted));
  return isSigned && Math.abs(Date.now() / 1_000 - Number(time)) < maxAgeSeconds;
}

const server = createServer(async (request, response) => {
  const isShort = Number(request.headers['content-length']) <= bodyMaxBytes;
  if (!isShort) return response.writeHead(413).end();
  const body = await buffer(request);
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end();
  const id = request.headers['webhook-id'];
  // A delivery is repeated when its answer was lost. It is taken again, so that it ends, and nothing is done.
  if (!taken.has(id)) console.log(body.toString());
  taken.add(id);
  return response.writeHead(204).end();
});
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => console.error('Waiting for webhooks'));
