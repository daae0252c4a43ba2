import type { Book, BookCounts } from '../../calls/types.ts';
import type { Loaded } from '../../calls/use-load.ts';
import { usePoll } from '../../calls/use-poll.ts';
import { formatNumber } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';

/** A book's numbers as they are now. */
export function BookNumbers({ book }: { book: Loaded<Book> }) {
  const text = messages().book;
  const { id, counts: read } = book.data!;
  const counts = usePoll<BookCounts>(`/v1/books/${id}/counts`) ?? read;
  const figures = [
    [text.available, counts.available],
    [text.assigned, counts.assigned],
    [text.redemptions, counts.redemptions],
    [text.voided, counts.voided],
    [text.codesInAll, counts.codes],
  ] as const;
  return (
    <dl class="figures figures-large">
      {figures.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{formatNumber(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
