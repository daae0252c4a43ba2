// The questions of smoke-test.sh. Its key comes by the environment, so that it stands in no list of processes.
//   node smoke-test.mjs ADDRESS
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const [address] = process.argv.slice(2);
const key = process.env.QURABLE_ADMIN_KEY;
const tries = Number(process.env.TRIES ?? 24);
const pauseMillis = 1000 * Number(process.env.PAUSE ?? 5);
const answerMillis = 10_000;

try {
  for (const path of ['/health', '/ready', '/openapi.json']) await expectStatus(200, path);
  await expectStatus(401, '/v1/books');
  await useACode();
  console.log(`${address} lives`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

/** Asks until the answer is the one expected, as long as the environment lets it. */
async function expectStatus(status, path) {
  let seen;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    if (attempt > 0) await sleep(pauseMillis);
    seen = await fetch(address + path, { signal: AbortSignal.timeout(answerMillis) }).then(
      (answer) => answer.status,
      (error) => error.cause?.code ?? error.name,
    );
    if (seen === status) return;
  }
  throw new Error(`${address}${path} answers ${seen}, not ${status}`);
}

/** What the product is for, once. The book is closed at the end, whatever became of the rest. */
async function useACode() {
  const book = await post('/v1/books', { name: `smoke test ${new Date().toISOString()}`, status: 'active' });
  try {
    await post(`/v1/books/${book.id}/codes/generate`, { count: 10, pattern: 'SMOKE-####-####-####' });
    const { code } = await post('/v1/coupons/assign', { bookId: book.id, userId: 'smoke-test' });
    const { lockToken } = await post(`/v1/coupons/${code}/lock`, { userId: 'smoke-test' });
    const redeemed = await post(`/v1/coupons/${code}/redeem`, { userId: 'smoke-test', lockToken });
    if (redeemed.status !== 'redeemed') throw new Error(`a redeemed coupon says that it is ${redeemed.status}`);
    const reversed = await post(`/v1/redemptions/${redeemed.redemption.id}/reverse`, { reason: 'smoke test' });
    if (reversed.status !== 'assigned') throw new Error(`a redemption given back leaves a coupon ${reversed.status}`);
  } finally {
    await send('PATCH', `/v1/books/${book.id}`, { status: 'closed' });
  }
}

function post(path, body) {
  return send('POST', path, body, { 'idempotency-key': randomUUID() });
}

async function send(method, path, body, headers = {}) {
  const answer = await fetch(address + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(answerMillis),
  });
  const content = await answer.json();
  // The address may hold a code, and the answer too: what went wrong is told by kind alone.
  if (!answer.ok)
    throw new Error(`${method} ${path.replace(/coupons\/[^/]+/, 'coupons/…')}: ${answer.status} ${content.kind}`);
  return content;
}
