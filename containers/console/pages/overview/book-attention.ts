import type { Book } from '../../calls/types.ts';

/** What about an active book needs somebody to look. */
export type Attention =
  | { kind: 'no-codes' }
  | { kind: 'exhausted' }
  | { kind: 'running-out'; left: number; share: number }
  | { kind: 'ended'; at: string }
  | { kind: 'ending'; at: string };

/** Below this share of its codes a book is running out. */
const lowShare = 0.1;
/** A book that ends within this time is ending. */
const endingMillis = 72 * 3_600_000;

/** What needs attention about a book at a moment, the most pressing first; nothing about a book that is not active. */
export function attentionOf(book: Book, now: number): Attention[] {
  if (book.status !== 'active') return [];
  const { codes, available } = book.counts;
  const found: Attention[] = [];
  const end = book.endsAt === null ? null : Date.parse(book.endsAt);
  if (end !== null && end <= now) return [{ kind: 'ended', at: book.endsAt! }];
  if (codes === 0) found.push({ kind: 'no-codes' });
  else if (available === 0) found.push({ kind: 'exhausted' });
  else if (available / codes < lowShare) found.push({ kind: 'running-out', left: available, share: available / codes });
  if (end !== null && end - now < endingMillis) found.push({ kind: 'ending', at: book.endsAt! });
  return found;
}
