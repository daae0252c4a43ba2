import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bareEnvironment } from '../support/bare-environment.ts';
import { apiProgram } from '../support/bundle-api.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { rootKey } from './support.ts';

const source = fileURLToPath(new URL('../../containers/api/main.ts', import.meta.url));

/** Runs the container's program until it ends by itself. */
async function runToEnd(
  program: string,
  environment: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [program], {
    env: { ...bareEnvironment(), HOST: '127.0.0.1', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  // Not `exit`, which may come before the last of what it said.
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

describe('the container', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase('container');
  });
  afterAll(() => database.drop());

  test('a malformed variable stops the start with one line that names it', async () => {
    const { code, said } = await runToEnd(source, { DATABASE_URL: database.url, ...testSecrets, PORT: 'http' });
    expect([code, said]).toEqual([1, 'PORT must be a whole number from 0 to 65535\n']);
  });

  test('a database that is not there stops the start with one line', async () => {
    const { code, said } = await runToEnd(await apiProgram(), {
      DATABASE_URL: 'postgres://127.0.0.1:9/x',
      ...testSecrets,
      LOG_LEVEL: 'silent',
    });
    expect(code).toBe(1);
    expect(said).toMatch(
      /^Qurable can’t start: The database can’t be used: nothing listens there; .*\(host 127\.0\.0\.1, port 9, .*\)\n$/,
    );
  });

  test('a port that is in use stops the start with one line, and nothing stays running', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const { code, said } = await runToEnd(await apiProgram(), {
      DATABASE_URL: database.url,
      ...testSecrets,
      PORT: String(port),
      LOG_LEVEL: 'silent',
    });
    squatter.close();
    expect(code).toBe(1);
    expect(said.trimEnd().split('\n')).toHaveLength(1);
    expect(said).toContain(String(port));
  });
});

describe('a container that runs', () => {
  let database: TestDatabase;
  let api: ApiProcess;
  const headers = { authorization: `Bearer ${rootKey}` };
  beforeAll(async () => {
    database = await createTestDatabase('running');
    api = await startApiProcess(database.url);
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  async function makeBook(): Promise<string> {
    const body = JSON.stringify({ name: 'Uploads', status: 'active' });
    const json = { ...headers, 'content-type': 'application/json' };
    const response = await fetch(`${api.address}/v1/books`, { method: 'POST', headers: json, body });
    return ((await response.json()) as { id: string }).id;
  }

  const upload = (bookId: string, body: string) =>
    fetch(`${api.address}/v1/books/${bookId}/codes`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'text/csv' },
      body,
    });

  test('20,000 codes of an upload are taken, and exported again as they are', async () => {
    const bookId = await makeBook();
    const codes = Array.from({ length: 20_000 }, (_, index) => `REAL-${String(index).padStart(6, '0')}`);
    const response = await upload(bookId, codes.join('\n'));
    expect(await response.json()).toMatchObject({ accepted: 20_000, rejected: 0 });
    const csv = await fetch(`${api.address}/v1/books/${bookId}/codes`, { headers: { ...headers, accept: 'text/csv' } });
    const rows = (await csv.text()).trimEnd().split(/\r?\n/).slice(1);
    expect(rows.map((row) => row.split(',')[0]).toSorted()).toEqual(codes);
  });

  test('an upload that breaks off half way leaves nothing behind, and the same codes can be sent again', async () => {
    const bookId = await makeBook();
    const { hostname, port } = new URL(api.address);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /v1/books/${bookId}/codes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rootKey}\r\ncontent-type: text/csv\r\ncontent-length: 1000000\r\n\r\n`,
    );
    socket.write(Array.from({ length: 1_000 }, (_, index) => `HALF-${index}`.padEnd(10, '0')).join('\n'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const list = await fetch(`${api.address}/v1/books/${bookId}/codes`, { headers });
    expect(await list.json()).toEqual({ data: [], nextCursor: null });
    expect(await (await upload(bookId, 'HALF-00000')).json()).toMatchObject({ accepted: 1 });
  });

  test('an upload that is refused early is answered, though the client is still sending', async () => {
    const body = 'x'.repeat(10_000_000);
    const refused = await upload('0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', body);
    expect(refused.status).toBe(404);
    const unknown = await fetch(`${api.address}/v1/books/${await makeBook()}/codes`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body,
    });
    expect(unknown.status).toBe(401);
  });

  /**
   * A request on a connection of its own: one that is kept alive may be closed by the drain in the moment in which the
   * next request is sent on it, which is then lost.
   */
  async function ask(path: string, more: RequestInit = {}): Promise<number> {
    const headers = { ...more.headers, connection: 'close' };
    const response = await fetch(`${api.address}${path}`, { ...more, headers });
    await response.text();
    return response.status;
  }

  /** How long it answers everybody after SIGTERM. */
  const pauseMillis = 5_000;
  interface Asked {
    /** The statuses of readiness and of a change; fewer where nobody answered. */
    seen: number[];
    millis: number;
  }
  async function stopAndAsk(): Promise<Asked> {
    const headers = { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' };
    const began = performance.now();
    api.process.kill('SIGTERM');
    const seen: number[] = [];
    try {
      let status = 200;
      while (status === 200) status = await ask('/ready');
      seen.push(status);
      seen.push(await ask('/v1/books', { method: 'POST', headers, body: '{"name":"Late"}' }));
    } catch {
      // It listens no more.
    }
    return { seen, millis: performance.now() - began };
  }

  test('at last, on SIGTERM, it is not ready at once, answers what is asked, and ends with exit code 0', async () => {
    let asked: Asked = { seen: [], millis: Number.POSITIVE_INFINITY };
    // The pause is of real time: who was stalled beyond its end asked nobody, and tries with another process.
    for (let tries = 0; tries < 4 && asked.millis > pauseMillis; tries += 1) {
      if (tries > 0) api = await startApiProcess(database.url);
      const ended = once(api.process, 'exit');
      asked = await stopAndAsk();
      expect(await ended).toEqual([0, null]);
      await expect(ask('/health')).rejects.toThrow();
    }
    expect(asked.seen).toEqual([503, 201]);
  });
});
