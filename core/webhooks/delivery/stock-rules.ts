/** How much of a book's codes is left, as the database keeps it. */
export const stocks = { enough: 0, low: 1, none: 2 } as const;

/** One of them. */
export type Stock = (typeof stocks)[keyof typeof stocks];

/** Stock is low where no more than one code in so many is left. */
export const lowStockShare = 10;

/**
 * What is left, as SQL over a book's counts `codes` and `available`. A book without codes has not run out of them.
 */
export const stockSql = `(case when codes > 0 and available = 0 then ${stocks.none}
  when codes > 0 and available * ${lowStockShare} <= codes then ${stocks.low} else ${stocks.enough} end)`;

/**
 * What is told when stock has changed, in order: each line that was crossed on the way down, once. Up again, nothing.
 */
export function crossedLines(before: Stock, after: Stock): (typeof stocks.low | typeof stocks.none)[] {
  return ([stocks.low, stocks.none] as const).filter((line) => before < line && line <= after);
}
