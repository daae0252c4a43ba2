/** Rows over which a book's counts are spread, so that redemptions of one book need not wait for one another's. */
export const bookCounterStripes = 16;
