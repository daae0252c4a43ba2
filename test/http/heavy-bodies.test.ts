import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { rootKey } from './support.ts';

/** As many bytes as an assign-batch may have. */
const mostBytes = 6_000_000;
const heapMegabytes = 256;
/**
 * A busy machine works several times slower than an idle one, where these bodies take 5 to 50 ms. What begins anew at
 * each digit takes hours, and what makes millions of objects first more memory than there is.
 */
const mostMillis = 1_000;

let database: TestDatabase;
let api: ApiProcess;
beforeAll(async () => {
  database = await createTestDatabase('heavy bodies');
  api = await startApiProcess(database.url, { NODE_OPTIONS: `--max-old-space-size=${heapMegabytes}` });
  // The first request of all makes what the later ones find made.
  await post('/v1/coupons/assign-batch', '{"bookId":1,"userIds":[1]}');
});
afterAll(async () => {
  await api?.stop();
  await database?.drop();
});

interface Outcome {
  status: number;
  body: string;
  /**
   * What the event loop's thread worked from the last byte of the body, when all others had been read, to the answer.
   */
  millis: number;
}

/** Posts a body whose last byte comes late, so that what is timed is what the server does with it. */
async function post(path: string, body: string): Promise<Outcome> {
  const { hostname, port } = new URL(api.address);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('utf8').setNoDelay(true);
  let answer = '';
  socket.on('data', (text: string) => {
    answer += text;
  });
  const ended = new Promise<void>((resolve, reject) => socket.once('close', () => resolve()).once('error', reject));
  const bytes = Buffer.from(body);
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${rootKey}\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  await new Promise<void>((resolve) =>
    socket.write(Buffer.concat([Buffer.from(head), bytes.subarray(0, -1)]), () => resolve()),
  );
  await sleep(100);
  const began = await workedMillis();
  socket.write(bytes.subarray(-1));
  await ended;
  const millis = (await workedMillis()) - began;
  return { status: Number(answer.split(' ', 2)[1]), body: answer.split('\r\n\r\n').slice(1).join('\r\n\r\n'), millis };
}

/**
 * For how long the event loop's thread has been on a processor: what others do with the machine is no fault of the
 * server's.
 */
async function workedMillis(): Promise<number> {
  const { pid } = api.process;
  return Number((await readFile(`/proc/${pid}/task/${pid}/schedstat`, 'utf8')).split(' ', 1)[0]) / 1e6;
}

/** The most memory that the process has ever had, in megabytes. */
async function peakMegabytes(): Promise<number> {
  const status = await readFile(`/proc/${api.process.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

const batchOf = (items: string) => `{"bookId":"0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11","userIds":[${items}]}`;
/** The text again and again, up to the most bytes that are taken. */
const fill = (text: string, around: (filling: string) => string) =>
  around(text.repeat(Math.floor((mostBytes - around('').length) / text.length)));

requireOrSkip('Linux, whose /proc tells what a thread has worked', process.platform === 'linux')(
  'a body as heavy as one may be',
  () => {
    test.each<[string, () => string, string]>([
      ['2,999,000 numbers in the place of users', () => batchOf(`${'1,'.repeat(2_998_999)}1`), '/userIds'],
      ['1,900,000 objects in the place of users', () => batchOf(`${'{},'.repeat(1_899_999)}{}`), '/userIds'],
      ['a million unknown fields', () => fill('"a":1,', (filling) => `{${filling}"b":1}`), 'body'],
      ['an unknown field with a name of megabytes', () => fill('a', (filling) => `{"${filling}":1}`), ''],
      ['one number of millions of digits', () => fill('1', (filling) => batchOf(filling)), '/userIds/0'],
      [
        'runs of digits just below the longest finite number',
        () => fill(`${'1'.repeat(308)}a`, (filling) => batchOf(`"${filling}"`)),
        '/userIds/0',
      ],
      ['long numbers', () => batchOf(`${`${'1'.repeat(308)},`.repeat(9_999)}1`), '/userIds/0'],
      ['opening brackets', () => fill('[', (filling) => batchOf(filling)), 'body'],
      ['escapes', () => fill('\\u0061', (filling) => batchOf(`"${filling}"`)), '/userIds/0'],
      ['a million lists of one list', () => fill('[[]],', (filling) => batchOf(`${filling}[]`)), '/userIds'],
      ['white space', () => fill(' ', (filling) => `{"userIds":${filling}7}`), ''],
    ])('is refused at once, with a short answer that names the field, where it is %s', async (what, make, path) => {
      const body = make();
      expect(Buffer.byteLength(body)).toBeGreaterThan(2_900_000);
      const before = await peakMegabytes();
      const tries: Outcome[] = [];
      // The best of five, since garbage of the one before may be collected in any of them; one that is quick will do.
      const best = () => Math.min(...tries.map(({ millis }) => millis));
      while (tries.length < 5 && best() >= mostMillis) tries.push(await post('/v1/coupons/assign-batch', body));
      for (const outcome of tries) {
        expect(outcome.status).toBe(400);
        expect(outcome.body.length).toBeLessThan(20_000);
        const { errors } = JSON.parse(outcome.body) as { errors: { path: string; message: string }[] };
        if (path !== '') expect(errors[0]!.path).toBe(path);
      }
      expect([what, best() < mostMillis]).toEqual([what, true]);
      expect((await peakMegabytes()) - before).toBeLessThan(50);
    });
  },
);
