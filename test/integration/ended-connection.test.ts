import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestCore, type TestCore } from '../support/open-test-core.ts';

const ready = Buffer.from('Z\0\0\0\x05I', 'latin1');
const words = 'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0';
const goodbye = Buffer.concat([Buffer.from('E'), Buffer.alloc(4), Buffer.from(words)]);
goodbye.writeInt32BE(4 + words.length, 1);

const program = `
  import { openPool } from './core/db/pool.ts';
  import { inTransaction } from './core/db/transaction.ts';
  const address = { connectionString: process.argv[1] };
  const pool = openPool(address, { max: 1, applicationName: 'ended', onError: () => {}, plans: 'by-key' });
  await inTransaction(pool, async () => 1).catch((error) => console.log(error.message));
  await new Promise((resolve) => setTimeout(resolve, 100));
  console.log('alive');
  process.exit(0);`;

let testCore: TestCore;
let server: Server;
let url: string;

beforeAll(async () => {
  testCore = await openTestCore('ended connection');
  const target = new URL(testCore.database.url);
  // The server is told to stop when it has just let somebody in: both come in one packet.
  server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    for (const socket of [client, database]) socket.on('error', () => {});
    client.pipe(database);
    database.on('data', (chunk) => {
      if (chunk.includes(ready)) client.end(Buffer.concat([chunk, goodbye]));
      else client.write(chunk);
    });
    client.on('close', () => database.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const byWay = new URL(target);
  byWay.hostname = '127.0.0.1';
  byWay.port = String((server.address() as AddressInfo).port);
  url = byWay.href;
});
afterAll(async () => {
  server.close();
  await testCore.close();
});

test('a connection that is ended as soon as it is made fails its transaction, and not the process', async () => {
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module-typescript', '-e', program, url]);
  let said = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (chunk) => {
      said += chunk;
    });
  }
  const [code] = await once(child, 'close');
  expect({ code, said }).toEqual({ code: 0, said: expect.stringMatching(/.+\nalive\n$/) });
});
