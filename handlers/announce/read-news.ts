import type { StockNews } from '../../core/index.ts';

const shapes: Record<keyof StockNews, (value: unknown) => boolean> = {
  tenant: isText(100),
  bookId: isText(36),
  name: isText(1_000),
  stock: (value) => value === 'low' || value === 'none',
  codes: isCount,
  available: isCount,
  at: isText(30),
};

/**
 * Reads what the function was called with.
 * @throws Error that names the field which is wrong, and no value
 */
export function readNews(event: unknown): StockNews {
  const given = (event ?? {}) as Record<string, unknown>;
  for (const [name, isRight] of Object.entries(shapes)) {
    if (!isRight(given[name])) throw new Error(`${name} is not what is told of a book`);
  }
  return given as unknown as StockNews;
}

function isText(maxChars: number) {
  return (value: unknown) => typeof value === 'string' && value !== '' && value.length <= maxChars;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
