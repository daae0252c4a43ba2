import type { CheckedApi } from '../checklists/call-api.ts';
import { type Check, type Finding, no, ok, skipped } from '../checklists/check.ts';

/** What the steps before have made. */
interface Made {
  bookId: string;
  deckId: string;
  code: string;
  lockToken: string;
  redemptionId: string;
}

/** A request of the walk, and what its answer must have. */
interface Step {
  name: string;
  method: string;
  path(made: Made): string;
  body(made: Made): object;
  /** Says what is wrong with an answer, or takes what the next steps need and says what is right. */
  read(answer: Record<string, unknown>, made: Made): Finding;
}

const userId = 'smoke-test';
const codes = 10;

/**
 * What the product is for, once: a code in a book of its own is made, given to a user, locked, redeemed and given back.
 * At the end the book's other codes are void and the book is closed, whatever became of the rest.
 * @param bookName tells the books of several runs apart
 */
export function couponChecks(api: CheckedApi, bookName: string): Check[] {
  const made: Partial<Made> = {};
  let broken: string | null = null;
  const steps = stepsOf(bookName).map((step) => ({
    name: step.name,
    look: async (): Promise<Finding> => {
      if (broken !== null) return skipped(`${broken} came to nothing`);
      // Until it has been right it is broken, however it ends.
      broken = step.name;
      const finding = await take(api, step, made as Made);
      if (finding.verdict === 'ok') broken = null;
      return finding;
    },
  }));
  return [...steps, { name: 'clean up', look: () => cleanUp(api, made) }];
}

async function take(api: CheckedApi, step: Step, made: Made): Promise<Finding> {
  const { status, json } = await api.ask(step.method, step.path(made), { body: step.body(made) });
  // The path may hold a code, and the answer too: what went wrong is told by kind alone.
  if (status >= 300) return no(refusalOf(status, json));
  return step.read(json, made);
}

function stepsOf(bookName: string): Step[] {
  const ofCoupon = (verb: string) => (made: Made) => `/v1/coupons/${encodeURIComponent(made.code)}/${verb}`;
  return [
    {
      name: 'create',
      method: 'POST',
      path: () => '/v1/books',
      body: () => ({ name: bookName, status: 'active' }),
      read: (answer, made) => taken(made, 'bookId', answer.id, `the book ${String(answer.id)}`),
    },
    {
      name: 'generate',
      method: 'POST',
      path: ({ bookId }) => `/v1/books/${bookId}/codes/generate`,
      body: () => ({ count: codes, pattern: 'SMOKE-####-####-####' }),
      read: (answer, made) => taken(made, 'deckId', answer.deckId, `${codes} codes`),
    },
    {
      name: 'assign',
      method: 'POST',
      path: () => '/v1/coupons/assign',
      body: ({ bookId }) => ({ bookId, userId }),
      read: (answer, made) => taken(made, 'code', answer.code, 'one of them to a user'),
    },
    {
      name: 'lock',
      method: 'POST',
      path: ofCoupon('lock'),
      body: () => ({ userId }),
      read: (answer, made) => taken(made, 'lockToken', answer.lockToken, 'held for a checkout'),
    },
    {
      name: 'redeem',
      method: 'POST',
      path: ofCoupon('redeem'),
      body: ({ lockToken }) => ({ userId, lockToken }),
      read: (answer, made) => {
        if (answer.status !== 'redeemed') return no(`the coupon says ${String(answer.status)}, not redeemed`);
        return taken(made, 'redemptionId', (answer.redemption as { id?: unknown })?.id, 'redeemed');
      },
    },
    {
      name: 'reverse',
      method: 'POST',
      path: ({ redemptionId }) => `/v1/redemptions/${redemptionId}/reverse`,
      body: () => ({ reason: 'smoke test' }),
      read: (answer) =>
        answer.status === 'assigned' ? ok('given back') : no(`the coupon says ${String(answer.status)}, not assigned`),
    },
    {
      name: 'validate',
      method: 'POST',
      path: ofCoupon('validate'),
      body: () => ({ userId }),
      read: (answer) =>
        answer.redeemable === true ? ok('it can be redeemed again') : no(`not redeemable: ${String(answer.reason)}`),
    },
  ];
}

function taken(made: Partial<Made>, name: keyof Made, value: unknown, text: string): Finding {
  if (typeof value !== 'string' || value === '') return no(`the answer has no ${name}`);
  made[name] = value;
  return ok(text);
}

async function cleanUp(api: CheckedApi, { bookId, deckId }: Partial<Made>): Promise<Finding> {
  if (bookId === undefined) return skipped('no book was made');
  // First what matters most: a closed book gives no code away, whatever becomes of the rest.
  const closed = await api.ask('PATCH', `/v1/books/${bookId}`, { body: { status: 'closed' } });
  if (closed.status !== 200) {
    return no(`${refusalOf(closed.status, closed.json)}: set the book ${bookId} to closed by hand`);
  }
  if (deckId === undefined) return ok('the book is closed');
  const voided = await api.ask('POST', `/v1/books/${bookId}/decks/${deckId}/void`, { body: {} });
  if (voided.status !== 200) return no(`the book’s codes: ${refusalOf(voided.status, voided.json)}`);
  return ok('the book is closed, its other codes are void');
}

function refusalOf(status: number, { kind }: Record<string, unknown>): string {
  const way: Record<number, string> = {
    401: ': QURABLE_ADMIN_KEY is not a key of this API',
    403: ': QURABLE_ADMIN_KEY must be an admin’s',
    503: ': see its log',
  };
  return `answers ${status}${typeof kind === 'string' ? ` ${kind}` : ''}${way[status] ?? ''}`;
}
