import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from 'undici';
import { systemClock } from '../../core/clock.ts';
import { openConnector } from '../../core/outbound/open-connector.ts';
import { openSender, type Sender } from '../../core/outbound/open-sender.ts';
import { isPublicAddress } from '../../core/outbound/public-address.ts';
import { targetUrlProblem } from '../../core/outbound/target-url.ts';

/** For what is to succeed: longer than any machine stalls. */
const patientMillis = 60_000;
let server: Server;
let port: number;
let connections = 0;
beforeAll(async () => {
  server = createServer((_request, response) => void response.writeHead(204).end());
  server.on('connection', () => {
    connections += 1;
  });
  // On every address of the machine, those of IPv6 too where it has any, so that whatever gets through arrives.
  await new Promise<void>((resolve) => server.listen(0, resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const spellings = [
  '127.0.0.1',
  '127.1',
  '127.255.255.254',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '017700000001',
  '0.0.0.0',
  '0',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001::7f00:1]',
  '[fe80::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[ff02::1]',
  '[2001:db8::1]',
  '[100::1]',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  'localhost',
  'LOCALHOST.',
  'a.localhost',
  'db.internal',
  'printer.local',
  'intranet',
];

describe('an address that leads inward', () => {
  test.each(spellings)('%s is refused when a webhook is made, over http and https', (host) => {
    for (const scheme of ['http', 'https'])
      expect(targetUrlProblem(`${scheme}://${host}:${port}/`, false)).not.toBeNull();
  });

  test.each(spellings)('%s is refused when something is sent, and no connection is made', async (host) => {
    const sender = openSender({ allowLoopback: false, clock: systemClock });
    const before = connections;
    const answer = await sender.send({ url: `https://${host}:${port}/`, headers: {}, body: '{}' });
    expect([answer.statusCode, answer.error, connections]).toEqual([null, 'address-not-allowed', before]);
    await sender.close();
  });

  const addresses = spellings
    .filter((host) => URL.canParse(`http://${host}`) && /^[\d.]+$|^\[/.test(new URL(`http://${host}`).hostname))
    .map((host) => new URL(`http://${host}`).hostname.replace(/[[\]]/g, ''));

  test.each([...new Set(addresses)])(
    'the socket itself refuses %s, as a literal and behind a name',
    async (address) => {
      const before = connections;
      for (const host of [address, 'shop.example']) {
        const agent = new Agent({ connect: openConnector(false, patientMillis, async () => [address]) });
        const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
        const failure = await agent.request({ origin, path: '/', method: 'GET' }).then(
          () => null,
          (error: Error) => error.name,
        );
        expect([host, failure]).toEqual([host, 'ForbiddenAddressError']);
        await agent.destroy();
      }
      expect(connections).toBe(before);
    },
  );
});

describe('a name', () => {
  const sendTo = async (answers: string[][]) => {
    let asked = 0;
    const resolve = async () => answers[Math.min(asked++, answers.length - 1)]!;
    const sender: Sender = openSender({ allowLoopback: false, clock: systemClock, resolve });
    const before = connections;
    const { error } = await sender.send({ url: `https://shop.example:${port}/`, headers: {}, body: '{}' });
    await sender.close();
    return { error, asked, connected: connections - before };
  };

  test('with one inner address among its addresses is refused as a whole', async () => {
    expect(await sendTo([['93.184.215.14', '127.0.0.1']])).toEqual({
      error: 'address-not-allowed',
      asked: 1,
      connected: 0,
    });
  });

  test('is resolved once, so that a second answer that leads inward is never asked for', async () => {
    // The first answer is of a network for documentation's sake that routes nowhere; public by its number.
    const resolve = [['203.0.112.1'], ['127.0.0.1']];
    const sender = openSender({
      allowLoopback: false,
      clock: systemClock,
      answerMaxMillis: 300,
      resolve: async () => resolve.shift() ?? ['127.0.0.1'],
    });
    const before = connections;
    const answer = await sender.send({ url: `https://shop.example:${port}/`, headers: {}, body: '{}' });
    expect([answer.statusCode, resolve.length, connections]).toEqual([null, 1, before]);
    await sender.close();
  });

  test('leads to the address that was looked at, whatever its name leads to elsewhere', async () => {
    const agent = new Agent({ connect: openConnector(true, patientMillis, async () => ['127.0.0.1']) });
    const { statusCode } = await agent.request({ origin: `http://shop.example:${port}`, path: '/', method: 'GET' });
    expect(statusCode).toBe(204);
    await agent.destroy();
  });

  test('that nobody knows is told so, and nothing of how it was looked for', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('secret resolver 10.0.0.2'), { code: 'ENOTFOUND' }));
    const sender = openSender({ allowLoopback: false, clock: systemClock, resolve });
    const answer = await sender.send({ url: 'https://shop.example/', headers: {}, body: '{}' });
    expect(answer).toEqual({ statusCode: null, error: 'name-not-found', retryAfter: null, millis: expect.any(Number) });
    await sender.close();
  });
});

// What it sends with is loaded for its first request, so that there is nothing to close before.
test.each([0, 1])('a sender that is closed after %i requests sends nothing more', async (requests) => {
  const sender = openSender({ allowLoopback: true, clock: systemClock, answerMaxMillis: patientMillis });
  const send = () => sender.send({ url: `http://127.0.0.1:${port}/`, headers: {}, body: '{}' });
  for (let sent = 0; sent < requests; sent += 1) expect((await send()).statusCode).toBe(204);
  await sender.close();
  const before = connections;
  expect(await send()).toMatchObject({ statusCode: null, error: 'connection-failed' });
  expect(connections).toBe(before);
});

test.each(['8.8.8.8', '93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '2a00:1450:4001:82a::200e'])(
  '%s is public',
  (address) => expect(isPublicAddress(address)).toBe(true),
);

test.each([
  ['https://shop.example/hook', null],
  ['https://shop.example:8443/hook?a=b', null],
  ['http://shop.example/hook', 'must be an https:// URL'],
  ['ftp://shop.example/', 'must be an https:// URL'],
  ['https://user:pass@shop.example/', 'must hold no user name and no password'],
  ['https://shop.example/#there', 'must have no fragment'],
  ['shop.example', 'must be an https:// URL of 2048 characters at most'],
  [`https://shop.example/${'x'.repeat(2_048)}`, 'must be an https:// URL of 2048 characters at most'],
])('the URL %s: %s', (url, problem) => expect(targetUrlProblem(url, false)).toBe(problem));

describe('where receivers on this machine are allowed', () => {
  test.each(['http://127.0.0.1:8080/', 'http://localhost:8080/', 'http://[::1]:8080/', 'https://127.0.0.1/'])(
    '%s is one',
    (url) => expect(targetUrlProblem(url, true)).toBeNull(),
  );

  test.each(['http://192.168.0.1/', 'https://169.254.169.254/', 'http://shop.example/', 'https://[::ffff:a00:1]/'])(
    '%s is none',
    (url) => expect(targetUrlProblem(url, true)).not.toBeNull(),
  );

  test('an answer’s body is read to a bound and shown to nobody, and one that never ends is let go', async () => {
    const endless = createServer((_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', more);
      };
      more();
    });
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
    const sender = openSender({ allowLoopback: true, clock: systemClock, answerMaxMillis: patientMillis });
    const url = `http://127.0.0.1:${(endless.address() as AddressInfo).port}/`;
    const answer = await sender.send({ url, headers: {}, body: '{}' });
    expect(answer).toEqual({ statusCode: 200, error: null, retryAfter: null, millis: expect.any(Number) });
    await sender.close();
    endless.closeAllConnections();
    endless.close();
  });

  test('an answer that does not come in time is a time-out', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const sender = openSender({ allowLoopback: true, clock: systemClock, answerMaxMillis: 200 });
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    expect(await sender.send({ url, headers: {}, body: '{}' })).toMatchObject({ statusCode: null, error: 'timeout' });
    await sender.close();
    silent.closeAllConnections();
    silent.close();
  });
});
