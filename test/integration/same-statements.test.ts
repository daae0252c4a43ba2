import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import type { Caller } from '../../core/index.ts';
import {
  assignCoupon,
  createBook,
  generateCodes,
  listCodes,
  lockCoupon,
  readCoupon,
  redeemCoupon,
  unlockCoupon,
  validateCoupon,
} from '../../core/index.ts';
import { admin, customer, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { uploadText } from '../support/upload-text.ts';

let testCore: TestCore;
/** Codes that a customer called ana must not be able to tell from each other. */
let codes: Record<string, string>;

beforeAll(async () => {
  testCore = await openTestCore('same statements');
  const { core } = testCore;
  const bookId = (await createBook(core, admin, { name: 'Same', status: 'active' }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 100, pattern: 'SAME-########' }, null);
  await uploadText(core, bookId, 'csv', 'SAME-UP-1\n');
  const held = (await assignCoupon(core, admin, { bookId, userId: 'bea' })).body.code;
  const { data } = await listCodes(core, admin, bookId, { status: 'available' });
  const undealt = data.find(({ code }) => code !== 'SAME-UP-1' && code !== held)!.code;
  codes = { held, undealt, 'of the pattern': 'SAME-00000000', uploaded: 'SAME-UP-1', 'of nobody': 'NOTHING-LIKE-IT' };
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => testCore.close());

const ana: Caller = customer('ana');
const looks: Record<string, (code: string) => Promise<unknown>> = {
  read: (code) => readCoupon(testCore.core, ana, code),
  validate: (code) => validateCoupon(testCore.core, ana, code, { userId: 'ana' }),
  lock: (code) => lockCoupon(testCore.core, ana, code, { userId: 'ana' }),
  unlock: (code) => unlockCoupon(testCore.core, ana, code, { userId: 'ana', lockToken: '1' }),
  redeem: (code) => redeemCoupon(testCore.core, ana, code, { userId: 'ana' }),
};

/** The names of the statements that a look costs, and what those that lock are sent. */
async function statementsOf(look: (code: string) => Promise<unknown>, code: string): Promise<string[]> {
  const names: string[] = [];
  // Each statement writes itself by this, whether it is sent alone or with others.
  const prepare = jest.spyOn(pg.Query.prototype as unknown as { prepare(): void }, 'prepare');
  await expect(look(code)).rejects.toMatchObject({ kind: 'coupon-not-found' });
  for (const { name, values } of prepare.mock.contexts as unknown as { name: string; values: unknown[] }[]) {
    // The rounds of marks go on beside every look.
    if (name.startsWith('marks-of-')) continue;
    // What is locked is the same nowhere, whatever the code: a row that is there takes longer than none.
    names.push(name.startsWith('lock-') ? `${name} ${JSON.stringify(values)}` : name);
  }
  prepare.mockRestore();
  return names;
}

test.each(Object.keys(looks))(
  'a customer’s %s of a code costs the same statements whether it exists or not',
  async (name) => {
    const look = looks[name]!;
    for (const code of Object.values(codes)) await statementsOf(look, code);
    const expected = await statementsOf(look, codes.held!);
    expect(expected).toContain('locate-codes');
    for (const [kind, code] of Object.entries(codes)) {
      expect([kind, await statementsOf(look, code)]).toEqual([kind, expected]);
    }
  },
);
