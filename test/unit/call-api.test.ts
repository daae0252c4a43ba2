import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { openApi } from '../../operations/checklists/call-api.ts';

const key = 'qk_a-key-that-nobody-may-ever-see-in-a-line';
let silent: Server;
let address: string;
beforeEach(async () => {
  silent = createServer(() => {});
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterEach(() => {
  jest.restoreAllMocks();
  silent.closeAllConnections();
  silent.close();
});

const ask = (at = address) =>
  openApi({ address: at, key, fetch, makeIdempotencyKey: () => 'once' })
    .ask('POST', '/v1/coupons/SECRET-CODE/redeem?user=u-1', { body: { userId: 'u-1' } })
    .then(
      () => 'an answer',
      (error: Error) => error.message,
    );

test('an API that never answers is told in one line, which names the address, the call, the ten seconds, and where to look', async () => {
  const waits: number[] = [];
  const { timeout } = AbortSignal;
  jest.spyOn(AbortSignal, 'timeout').mockImplementation((millis) => {
    waits.push(millis);
    return timeout.call(AbortSignal, 1);
  });
  expect(await ask()).toBe(
    `${address} gives no answer to POST /v1/coupons within 10 seconds: look into the API’s log whether it is overloaded or hangs, and whether a firewall is in between`,
  );
  expect(waits).toEqual([10_000]);
});

test('where nobody listens, the line says so and asks for the address, and has neither key nor code nor user', async () => {
  silent.close();
  await once(silent, 'close');
  expect(await ask()).toBe(
    `${address} gives no answer to POST /v1/coupons (ECONNREFUSED): is it the right address, and does the API run there?`,
  );
});

test('a port that no client may call is called so', async () => {
  expect(await ask('http://127.0.0.1:9')).toContain(
    'http://127.0.0.1:9 gives no answer to POST /v1/coupons (bad port)',
  );
});
