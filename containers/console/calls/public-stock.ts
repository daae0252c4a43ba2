import type { Book } from './types.ts';

/** So many codes the server makes for a public code when its book opens: more than there are people. */
const stockCodes = 10_000_000_000;

/**
 * Whether a book's codes are those that are made for its public code: nobody has to put any in, they never run out, and
 * voiding what is left would end the code for good. One that had codes of its own when it opened deals those.
 */
export function hasPublicStock({ publicCode, counts }: Pick<Book, 'publicCode' | 'counts'>): boolean {
  if (publicCode === null) return false;
  return counts.codes === 0 || (counts.codes >= stockCodes && counts.available > 0);
}
