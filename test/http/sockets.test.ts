import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openLog } from '../../containers/api/observe/log.ts';
import { type RunningServer, startServer } from '../../containers/api/server.ts';
import { limits } from '../../core/index.ts';
import { testConfig } from '../support/open-test-core.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { rootKey } from './support.ts';

const quiet = openLog('silent');
const asRoot = { authorization: `Bearer ${rootKey}` };

/** Writes bytes to the server and gives everything that comes back until the connection ends. */
function exchange(address: string, ...pieces: (string | Buffer)[]): Promise<string> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error);
    });
    for (const piece of pieces) socket.write(piece);
  });
}

describe('on a real connection', () => {
  let database: TestDatabase;
  let server: RunningServer;
  beforeAll(async () => {
    database = await createTestDatabase('sockets');
    server = await startServer(testConfig(database.url, { PORT: '0', METRICS_PORT: '0' }), { log: quiet });
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
  });

  const isAlive = async () => (await fetch(`${server.address}/health`)).status === 200;

  test('a token of 1 MB gets a problem document, and the server lives on', async () => {
    const head = `GET /v1/books HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${'x'.repeat(1_000_000)}\r\n\r\n`;
    const answer = await exchange(server.address, head);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({
      kind: 'invalid-input',
      errors: [{ path: 'headers' }],
    });
    const response = await fetch(`${server.address}/v1/books`, {
      headers: { authorization: `Bearer ${'x'.repeat(1_000_000)}` },
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      400,
      'application/problem+json; charset=utf-8',
    ]);
    expect(await isAlive()).toBe(true);
  });

  test('a token that is longer than any good one, within the limit of headers, is unauthenticated', async () => {
    const headers = { authorization: `Bearer ${'x'.repeat(limits.tokenMaxChars + 1)}` };
    const response = await fetch(`${server.address}/v1/books`, { headers });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  test.each([
    ['what is no HTTP', 'HELLO\r\n\r\n'],
    ['a header with a space in its name', 'GET /health HTTP/1.1\r\nhost: x\r\nbad header: 1\r\n\r\n'],
    [
      'two lengths that differ',
      'POST /v1/books HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx',
    ],
    [
      'a length and chunks',
      'POST /v1/books HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('%s gets a problem document', async (_what, bytes) => {
    const answer = await exchange(server.address, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ kind: 'invalid-input' });
  });

  test.each([
    [
      'two Authorization headers',
      `authorization: Bearer ${rootKey}\r\nauthorization: Bearer qk_other\r\n`,
      'Authorization',
    ],
    ['the same Authorization twice', `authorization: Bearer ${rootKey}\r\n`.repeat(2), 'Authorization'],
    ['two Host headers', `host: y\r\nauthorization: Bearer ${rootKey}\r\n`, 'Host'],
  ])('%s are invalid-input, since a proxy may look at another one', async (_what, headers, path) => {
    const answer = await exchange(
      server.address,
      `GET /v1/books HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ kind: 'invalid-input', errors: [{ path }] });
  });

  test('a version of HTTP that is none of ours is invalid-input', async () => {
    const answer = await exchange(server.address, 'GET /health HTTP/2.0\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('invalid-input');
  });

  const bookPath = `POST /v1/books HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rootKey}\r\ncontent-type: application/json\r\n`;
  test('what is no HTTP behind a request does not overtake its answer', async () => {
    const body = JSON.stringify({ name: 'Answered before the garbage' });
    const request = `${bookPath}content-length: ${body.length}\r\n\r\n${body}`;
    const answer = await exchange(server.address, `${request}${request}GARBAGE\r\n\r\nGARBAGE`);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 201', 'HTTP/1.1 201', 'HTTP/1.1 400']);
    expect(answer.match(/Answered before the garbage/g)).toHaveLength(2);
  });

  test('nor does it break into an answer that is being streamed', async () => {
    const document = await (await fetch(`${server.address}/docs/static/swagger-ui-bundle.js`)).text();
    const request = 'GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n';
    const answer = await exchange(server.address, `${request}GARBAGE\r\n\r\n`);
    const [head = '', ...rest] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    const streamed = rest.join('\r\n\r\n');
    expect(streamed.startsWith(`${document}HTTP/1.1 400 `)).toBe(true);
  });

  test('a body that is no HTTP is refused at once, since its own request has no answer yet', async () => {
    const answer = await exchange(server.address, `${bookPath}transfer-encoding: chunked\r\n\r\n5\r\n{"nam\r\nZZZ\r\n`);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
  });

  test.each([100_000, 8_000_000])(
    'a client that sends a body of %d bytes, which is too large, sees 413',
    async (size) => {
      const body = JSON.stringify({ name: 'x'.repeat(size) });
      const headers = { ...asRoot, 'content-type': 'application/json' };
      const response = await fetch(`${server.address}/v1/books`, { method: 'POST', headers, body });
      expect([response.status, ((await response.json()) as { kind: string }).kind]).toEqual([413, 'body-too-large']);
    },
  );

  test.each([
    ['401', '/v1/books', {}],
    ['404', '/v1/nothing', asRoot],
    ['415', '/v1/books', { ...asRoot, 'content-type': 'text/plain' }],
  ])('a client that sends a large body sees %s too', async (status, path, headers) => {
    const body = 'x'.repeat(8_000_000);
    const response = await fetch(`${server.address}${path}`, { method: 'POST', headers, body });
    expect(String(response.status)).toBe(status);
  });

  test('a body that breaks off changes nothing and harms nobody', async () => {
    const books = async () =>
      ((await (await fetch(`${server.address}/v1/books`, { headers: asRoot })).json()) as { data: object[] }).data;
    const before = await books();
    const { hostname, port } = new URL(server.address);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /v1/books HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rootKey}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"name":`,
    );
    await sleep(100);
    socket.destroy();
    await sleep(100);
    expect(await books()).toEqual(before);
  });

  test('connections are kept alive for longer than a load balancer keeps them', async () => {
    const answer = await exchange(
      server.address,
      'GET /health HTTP/1.1\r\nhost: x\r\n\r\n',
      'GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    );
    expect(answer.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    expect(answer.toLowerCase()).toContain('keep-alive: timeout=65');
  });

  test('metrics with a port of their own are there without a token, and nowhere else', async () => {
    const text = await (await fetch(`${server.metricsAddress}/metrics`)).text();
    expect(text).toContain('qurable_http_request_duration_seconds_count{method="GET",route="/health",status="200"}');
    expect((await fetch(`${server.metricsAddress}/v1/books`)).status).toBe(404);
    expect((await fetch(`${server.address}/metrics`, { headers: asRoot })).status).toBe(404);
  });
});

describe('a shutdown', () => {
  test('readiness fails first, requests are served on, then what has begun is answered and nobody else is let in', async () => {
    const database = await createTestDatabase('drain');
    const config = testConfig(database.url, { PORT: '0' });
    const body = JSON.stringify({ name: 'Begun before the end' });
    try {
      // The pause is of real time: where it was over before all of it was done, this is begun anew with a longer one.
      for (let drainPauseMillis = 600, isInTime = false; !isInTime; drainPauseMillis *= 4) {
        const server = await startServer(config, { log: quiet, drainPauseMillis });
        try {
          expect((await fetch(`${server.address}/ready`)).status).toBe(200);
          const began = performance.now();
          const closed = server.close();
          const seen = await lookAtDrain(server.address, body.length).catch((error: unknown) => ({ error }));
          isInTime = performance.now() - began < drainPauseMillis;
          if (!isInTime) {
            if ('begun' in seen) seen.begun.destroy();
            continue;
          }
          if ('error' in seen) throw seen.error;
          expect(seen.answers).toEqual([503, 'close', '1', 200, 200]);
          await waitUntilClosed(server.address);
          const ended = once(seen.begun, 'close');
          seen.begun.write(body);
          await closed;
          await ended;
          expect(seen.answer()).toMatch(/^HTTP\/1\.1 201 /);
          expect(seen.answer().toLowerCase()).toContain('connection: close');
        } finally {
          await server.close();
        }
      }
    } finally {
      await database.drop();
    }
  });

  /** Asks a server that drains, and begins a request whose body of so many bytes is still to be sent. */
  async function lookAtDrain(address: string, bodyBytes: number) {
    const ready = await fetch(`${address}/ready`);
    const answers = [ready.status, ready.headers.get('connection'), ready.headers.get('retry-after')];
    answers.push((await fetch(`${address}/health`)).status);
    const { hostname, port } = new URL(address);
    const begun = connect(Number(port), hostname);
    let answer = '';
    begun.on('data', (bytes) => {
      answer += bytes.toString();
    });
    begun.on('error', () => {});
    begun.write(
      `POST /v1/books HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rootKey}\r\ncontent-type: application/json\r\ncontent-length: ${bodyBytes}\r\n\r\n`,
    );
    await once(begun, 'connect');
    // It comes behind the request that has begun, which the server knows of once this one is answered.
    answers.push((await fetch(`${address}/health`)).status);
    return { answers, begun, answer: () => answer };
  }

  /** Waits until nobody is let in any more. */
  async function waitUntilClosed(address: string): Promise<void> {
    for (;;) {
      try {
        await (await fetch(`${address}/health`)).text();
      } catch {
        return;
      }
      await sleep(20);
    }
  }

  test('a start without a database, or with a schema that is too old, rejects and does not listen', async () => {
    const config = testConfig('postgres://127.0.0.1:9/none', { PORT: '0' });
    await expect(startServer(config, { log: quiet })).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
