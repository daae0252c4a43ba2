import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where a local start keeps its secrets, and its port. */
export type LocalApi = { home: string; port: number };

/**
 * Calls the API of a local start with the key that the start made, and checks the reply's status. What it is too busy
 * for is sent again under the same idempotency key, as clients do.
 *
 * @returns the reply's JSON, of which every use here needs the id only.
 * @throws Error with the reply's body when the status is another one.
 */
export async function callLocalApi(
  { home, port }: LocalApi,
  status: number,
  path: string,
  init: RequestInit = {},
): Promise<{ id: string }> {
  const headers = {
    authorization: `Bearer ${readAdminKey(home)}`,
    'content-type': 'application/json',
    ...(init.method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
  };
  const ask = () => fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
  let reply = await ask();
  for (let repeat = 0; reply.status === 503 && repeat < 20; repeat += 1) {
    await reply.text();
    await sleep(1_000);
    reply = await ask();
  }
  const body = await reply.text();
  if (reply.status !== status) throw new Error(`${path} was answered with ${reply.status}: ${body}`);
  return JSON.parse(body) as { id: string };
}

/** Reads the admin key that a local start made. */
export function readAdminKey(home: string): string {
  const secrets = JSON.parse(readFileSync(join(home, 'secrets.json'), 'utf8')) as { QURABLE_ADMIN_KEY: string };
  return secrets.QURABLE_ADMIN_KEY;
}
