/**
 * A checkout with Qurable in plain fetch: lock the coupon while the customer pays, redeem it once the payment is sure,
 * let go of it when the payment fails, and give the redemption back when the order is cancelled.
 *
 * Run it against a started API: `npx node examples/checkout.ts` with KEY, BOOK and, where it is not on port 3000, API
 * in the environment. (`npx` finds the Node 24 that `npm ci` has brought; an older one does not read TypeScript.)
 */

/** A problem document, RFC 9457: branch on `kind`, show `detail` to a developer, never to a customer. */
interface Problem {
  kind: string;
  status: number;
  detail: string;
  /** Of a 503: whether nothing was done, or only a repeat with the same key can tell. */
  outcome?: 'not-begun' | 'unknown';
}

/** What the API said no to. */
class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.kind}: ${problem.detail}`);
    this.problem = problem;
  }
}

interface Client {
  api: string;
  key: string;
}

interface Coupon {
  code: string;
  rev: number;
  lockToken?: string;
  redemption?: { id: string };
}

/**
 * Sends a POST until it is answered. The idempotency key makes repeating safe: whatever got lost on the way, the effect
 * is there once. Overload and lost connections pass; every other refusal is for the caller.
 */
async function post<T>({ api, key }: Client, path: string, body: object, idempotencyKey: string): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(`${api}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    }).catch((error: unknown) => (attempt < 5 ? null : Promise.reject(error)));
    if (answer?.ok) return (await answer.json()) as T;
    const passes = answer === null || answer.status === 503 || answer.status === 429;
    // Where the last 503 says `"outcome": "unknown"`, it may have been done: call this again later, with the same key.
    if (!passes || attempt === 5) throw new Refused((await answer!.json()) as Problem);
    const seconds = Number(answer?.headers.get('retry-after') ?? attempt);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

/** What a customer reads, by the kind of the refusal. */
const messages: Record<string, string> = {
  'coupon-not-found': 'We do not know this code. Please check it.',
  'code-already-redeemed': 'This code has been used.',
  'code-locked': 'This code is in use in another checkout. Try again in a few minutes.',
  'book-outside-window': 'This code is not valid today.',
};

/**
 * Checks out an order with a coupon.
 * @param order.attempt names this attempt to pay: a new one for each, the same one to go on after a crash. A key made
 *   of the order alone would be answered with the first attempt's lock, which that attempt has ended.
 * @param pay takes the money, and says whether it got it
 * @returns the redemption's id, which gives it back when the order is cancelled; null when the payment failed
 * @throws Refused before the payment, where the coupon can't be used; after it only where the lock ran out meanwhile,
 *   or the book was paused or ended: then refund the payment, or honour the discount without the coupon
 */
export async function checkOut(
  client: Client,
  order: { id: string; attempt: string; userId: string; code: string },
  pay: () => Promise<boolean>,
): Promise<string | null> {
  const { id, attempt, userId, code } = order;
  const path = `/v1/coupons/${encodeURIComponent(code)}`;
  const { lockToken } = await post<Coupon>(client, `${path}/lock`, { userId, ttlSeconds: 600 }, `${attempt}-lock`);
  if (!(await pay())) {
    await post(client, `${path}/unlock`, { userId, lockToken }, `${attempt}-unlock`);
    return null;
  }
  // The token goes with it: had the lock expired and been granted to another checkout, this would be refused. A lock
  // keeps the coupon; it reserves nothing of the book's limits, and promises nothing against a pause, a void or the
  // book's end.
  const redemption = { userId, lockToken, reference: id };
  const redeemed = await post<Coupon>(client, `${path}/redeem`, redemption, `${attempt}-redeem`);
  return redeemed.redemption!.id;
}

/** Cancels an order: the redemption is given back, once, however often this is called. */
export async function cancelOrder(client: Client, orderId: string, redemptionId: string): Promise<void> {
  await post(client, `/v1/redemptions/${redemptionId}/reverse`, { reason: 'order cancelled' }, `${orderId}-cancel`);
}

async function main(): Promise<void> {
  const { API: api = 'http://127.0.0.1:3000', KEY: key = '', BOOK: bookId = '' } = process.env;
  const client = { api, key };
  const orderId = crypto.randomUUID();
  // Another user each time, so that a book's limits a user do not end the runs of an example.
  const userId = `user-${crypto.randomUUID()}`;
  try {
    const { code } = await post<Coupon>(client, '/v1/coupons/assign', { bookId, userId }, `${orderId}-assign`);
    const order = { id: orderId, userId, code };
    const unpaid = await checkOut(client, { ...order, attempt: `${orderId}-1` }, async () => false);
    console.log(unpaid === null ? 'not paid, and the coupon is free again' : 'paid');
    const redemptionId = await checkOut(client, { ...order, attempt: `${orderId}-2` }, async () => true);
    console.log(`redeemed ${code}`);
    await cancelOrder(client, orderId, redemptionId!);
    console.log('cancelled, and the redemption is given back');
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.log(messages[error.problem.kind] ?? 'The coupon could not be used.');
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (import.meta.main) await main();
