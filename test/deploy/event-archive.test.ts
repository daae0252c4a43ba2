import { spawn } from 'node:child_process';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import type { EventMonth } from '../../core/archive/event-months.ts';
import { openPool } from '../../core/db/pool.ts';
import { type ArchiveStore, exportEvents, importMonth, verifyEvents } from '../../core/index.ts';
import { openBucketArchive } from '../../operations/events/bucket-archive.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { makePastEvents } from '../support/event-archive.ts';
import { isLong } from '../support/long-run.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { canEmulate, type Emulator, startEmulator } from './emulator/start-emulator.ts';
import { type Account, openAccount } from './support/account.ts';

/**
 * Exported events in a bucket, by the commands that the operator's task runs where one is killed, ends well or is
 * refused, and else by what they call: event-commands.test.ts shows each of them as a command. What the emulator does
 * not show: rights, the key, and that S3 refuses what comes with another SHA-256 than was said.
 */
const bucket = 'events-of-a-test';
const commands = join(resolve(import.meta.dirname, '../..'), 'operations/events');
const count = 3_000;
const longMillis = 900_000;

/** A request at which the command that sends it is killed: before S3 has it, or once S3 has it and has not answered. */
interface Cut {
  request: RegExp;
  /** Counted from 1; the first unless given. */
  nth?: number;
  when: 'before' | 'after';
}

interface Ran {
  code: number | null;
  out: string;
  err: string;
  /** What it asked S3 for, such as `PUT 2026-05/00001.ndjson.gz`. */
  asked: string[];
}

let database: TestDatabase;
let pool: pg.Pool;
let emulator: Emulator;
let account: Account;
let month: EventMonth;
let store: ArchiveStore;
/** Stands between the commands and S3. */
let between: Server;
let onRequest: (line: string) => 'pass' | 'kill before' | 'kill after' | { status: number; code: string };
let kill: () => void = () => {};

const describeOrSkip = requireOrSkip('python3 with moto[server]', canEmulate());

describeOrSkip('events in a bucket', () => {
  const before = { ...process.env };

  beforeAll(async () => {
    [database, emulator] = await Promise.all([createTestDatabase('events in a bucket'), startEmulator()]);
    pool = openPool({ connectionString: database.url }, { max: 2, applicationName: 'test', onError: () => {} });
    account = openAccount(emulator.url);
    await account.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    between = createServer(async (asked, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of asked) chunks.push(chunk as Buffer);
      const path = new URL(asked.url!, emulator.url).pathname.replace(`/${bucket}/`, '').replace('events/', '');
      const fate = onRequest(`${asked.method} ${path}`);
      if (fate === 'kill before') return kill();
      if (typeof fate === 'object') {
        response.writeHead(fate.status).end(`<Error><Code>${fate.code}</Code><Message>no</Message></Error>`);
        return;
      }
      const { method, headers } = asked;
      const passed = request(new URL(asked.url!, emulator.url), { method: method!, headers }, (answer) => {
        if (fate === 'kill after') return kill();
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      passed.end(Buffer.concat(chunks));
    });
    await new Promise<void>((listening) => between.listen(0, '127.0.0.1', listening));
    month = await makePastEvents(pool, 6, count);
    Object.assign(process.env, environment());
    store = await openBucketArchive(bucket, 'events');
  }, longMillis);

  afterAll(async () => {
    process.env = before;
    between?.closeAllConnections();
    between?.close();
    await emulator?.stop();
    await pool?.end();
    await database?.drop();
  }, longMillis);

  function environment() {
    return {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(between.address() as AddressInfo).port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      EVENTS_ARCHIVE: `s3://${bucket}/events`,
    };
  }

  function run(name: string, args: string[] = [], env: Record<string, string> = {}, cut?: Cut): Promise<Ran> {
    const child = spawn(process.execPath, [join(commands, `${name}-command.ts`), ...args], {
      env: { ...bareEnvironment(), ...testSecrets, DATABASE_URL: database.url, ...environment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ran: Ran = { code: null, out: '', err: '', asked: [] };
    let seen = 0;
    kill = () => void child.kill('SIGKILL');
    onRequest = (line) => {
      ran.asked.push(line);
      if (!cut?.request.test(line)) return 'pass';
      seen += 1;
      return seen === (cut.nth ?? 1) ? `kill ${cut.when}` : 'pass';
    };
    child.stdout.on('data', (data: Buffer) => (ran.out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (ran.err += data.toString()));
    return new Promise((done) => child.once('close', (code) => done({ ...ran, code })));
  }

  /** What `verify-events` does, and what it says. */
  async function verify(): Promise<string> {
    onRequest = () => 'pass';
    const said: string[] = [];
    await verifyEvents(pool, store, null, (line) => said.push(line));
    return said.join('\n');
  }

  /** What `export-events --drop` does where five months are to stay, and what it says. */
  async function exportAndDrop(): Promise<string> {
    onRequest = () => 'pass';
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    await exportEvents(pool, store, { keepMonths: 5, includesOpenMonth: false, say });
    return said.join('\n');
  }

  async function stored(): Promise<string[]> {
    const { Contents = [] } = await account.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key }) => Key!.replace(`events/${month.month}/`, '')).sort();
  }

  async function eventsOfMonth(): Promise<string[] | null> {
    const { rows: tables } = await pool.query<{ there: string | null }>('select to_regclass($1) as there', [
      month.table,
    ]);
    if (tables[0]!.there === null) return null;
    const { rows } = await pool.query<{ row: string }>(
      `select (to_jsonb(e) - 'reason')::text as row from ${month.table} e order by tenant_id, deck_id, pos, rev`,
    );
    return rows.map(({ row }) => row);
  }

  const file = '00001.ndjson.gz';
  let events: string[];

  test(
    'are complete only once they were read back, at whichever file the export was killed, and nothing is sent twice that S3 is known to have',
    async () => {
      events = (await eventsOfMonth())!;
      const killed = { code: null, out: '' };
      const ofFile = new RegExp(`^PUT .*/${file}$`);
      const ofManifest = /^PUT .*\/manifest\.json$/;
      // What is killed before S3 has anything is as if it had not begun.
      if (isLong) {
        expect(await run('export-events', [], {}, { request: ofFile, when: 'before' })).toMatchObject(killed);
        expect(await stored()).toEqual([]);
      }
      expect(await run('export-events', [], {}, { request: ofFile, when: 'after' })).toMatchObject(killed);
      expect(await stored()).toEqual([file]);
      await expect(verify()).rejects.toThrow(/nothing was exported to s3:/);
      expect(await run('export-events', [], {}, { request: ofManifest, when: 'after' })).toMatchObject(killed);
      expect(await stored()).toEqual([file, 'manifest.json']);
      await expect(verify()).rejects.toThrow(/was broken off: run export-events again/);
      const exported = await run('export-events');
      expect(exported).toMatchObject({ code: 0, err: '' });
      expect(exported.out).toMatch(/goes on after 3,000 events\n.*3,000 events in 1 files, .*read back and compared\n/);
      expect(exported.asked.filter((line) => line.startsWith('PUT'))).toEqual([`PUT ${month.month}/manifest.json`]);
      const asExported = `${count} events are as they were exported, and as the database has them`;
      expect(await verify()).toContain(asExported);
    },
    longMillis,
  );

  test(
    'with a flipped bit are refused in a line, and no month is removed for them or brought back from them',
    async () => {
      const Key = `events/${month.month}/${file}`;
      const { Body } = await account.s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const good = Buffer.from(await Body!.transformToByteArray());
      const bad = Buffer.from(good);
      bad[good.length >> 1]! ^= 1;
      await account.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: bad }));
      const isNotIt = `s3://\\S+/${file} is not what was exported: its checksum .*`;
      expect(await run('verify-events')).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringMatching(new RegExp(`^\\S+: ${isNotIt}\n$`)),
      });
      await expect(exportAndDrop()).rejects.toThrow(new RegExp(isNotIt));
      expect(await eventsOfMonth()).toEqual(events);
      await expect(importMonth(pool, store, month)).rejects.toThrow(new RegExp(isNotIt));
      await account.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: good }));
    },
    longMillis,
  );

  test(
    'come back as they were, also after an import that was killed',
    async () => {
      expect(await exportAndDrop()).toContain('removed from the database');
      expect(await eventsOfMonth()).toBeNull();
      // It reads all once, and then once more to load it.
      const again: Cut = { request: new RegExp(`^GET .*/${file}$`), nth: 2, when: 'before' };
      expect(await run('import-events', ['--month', month.month], {}, again)).toMatchObject({ code: null });
      expect((await pool.query('select count(*)::int as count from events')).rows).toEqual([{ count: 0 }]);
      expect(await run('import-events', ['--month', month.month])).toMatchObject({
        code: 0,
        out: `${month.month}: ${count} events are back, and compared with the archive\n`,
      });
      expect(await eventsOfMonth()).toEqual(events);
    },
    longMillis,
  );

  test.each([
    [403, 'AccessDenied', 'get', 'allow s3:GetObject and s3:ListBucket there, and the use of its key'],
    [403, 'AccessDenied', 'put', 'allow s3:PutObject there'],
    [403, 'AccessDenied', 'list', 'allow s3:ListBucket there'],
    [403, 'AccessDenied', 'remove', 'allow s3:DeleteObject there'],
    [403, 'InvalidObjectState', 'get', 'the file was moved to Glacier: restore it first'],
    [301, 'PermanentRedirect', 'get', 'it is in another region: set AWS_REGION'],
    [400, 'ExpiredToken', 'list', 'the credentials have expired: sign in again'],
    [404, 'NoSuchBucket', 'put', 'there is no such bucket: is EVENTS_ARCHIVE right?'],
  ] as const)('for which S3 answers %i %s: a line says what mends it (%s)', async (status, code, what, words) => {
    onRequest = () => ({ status, code });
    const work = {
      get: () => store.get('x'),
      put: () => store.put('x', Buffer.of(1)),
      remove: () => store.remove('x'),
    };
    const done = what === 'list' ? store.list() : work[what]();
    await expect(done).rejects.toMatchObject({
      name: 'ArchiveError',
      message: expect.stringContaining(`s3://${bucket}/events can't be used: ${words}`),
    });
  });
});
