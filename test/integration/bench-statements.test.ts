import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type BenchDatabase, openBenchDatabase } from '../bench/database/bench-database.ts';
import { loadCoupons } from '../bench/database/load-coupons.ts';
import { makeGeneratedBook } from '../bench/database/make-book.ts';
import { oneTransactionScripts } from '../bench/database/one-transaction.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';

let database: BenchDatabase;
beforeAll(async () => {
  database = await openBenchDatabase('bench-statements');
});
afterAll(() => database.close());

/** The statement of a script of pgbench, with values in the place of its variables. */
function statementOf(script: string, values: Record<string, number>): string {
  const lines = script.split('\n').filter((line) => !line.startsWith('\\set'));
  return lines.join('\n').replace(/(?<!:):([a-z]+)/g, (_variable, name: string) => String(values[name]));
}

test('what the bench writes without the product keeps the invariants that the bench looks at', async () => {
  const book = await makeGeneratedBook(database, 1_000);
  const forRedeem = await makeGeneratedBook(database, 1_000);
  await loadCoupons(database, forRedeem, { count: 10, users: 'redeemer', keep: 0 });
  for (let number = 0; number < 10; number += 1) {
    const assign = { book: book.bookKey, deck: book.deckKey, user: number };
    await database.client.query(statementOf(oneTransactionScripts.assign, assign));
    const redeem = { book: forRedeem.bookKey, deck: forRedeem.deckKey, pos: number, stripe: number };
    await database.client.query(statementOf(oneTransactionScripts.redeem, redeem));
  }
  const { rows } = await database.client.query(
    'select kind, count(*)::int as events from events group by kind order by 1',
  );
  expect(rows).toEqual([
    { kind: 1, events: 20 },
    { kind: 5, events: 10 },
  ]);
  expect(await findBrokenInvariants(database.url)).toEqual([]);
});
