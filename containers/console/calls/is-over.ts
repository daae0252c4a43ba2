import type { Book } from './types.ts';

/** Whether an end has passed. @param endsAt null: it has none. @param now in milliseconds since 1970 */
export function isOver(endsAt: string | null, now: number): boolean {
  return endsAt !== null && Date.parse(endsAt) <= now;
}

/** Whether a book's end has passed and nobody has closed it: it is called active, and gives out nothing. */
export function hasEnded({ status, endsAt }: Pick<Book, 'status' | 'endsAt'>): boolean {
  return status === 'active' && isOver(endsAt, Date.now());
}
