import type { Book, BookCounts } from '../../calls/types.ts';
import type { Loaded } from '../../calls/use-load.ts';
import { usePoll } from '../../calls/use-poll.ts';
import { formatNumber } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { ExportButton } from '../../parts/export-button.tsx';
import { BookReport } from './book-report.tsx';

/** A book's numbers as they are now. */
export function BookNumbers({ book }: { book: Loaded<Book> }) {
  const { book: text, rules } = messages();
  const { id, status, counts: read } = book.data!;
  const counts = usePoll<BookCounts>(`/v1/books/${id}/counts`) ?? read;
  const figures = [
    [text.available, counts.available],
    [text.assigned, counts.assigned],
    [text.redemptions, counts.redemptions],
    [text.voided, counts.voided],
    [text.codesInAll, counts.codes],
  ] as const;
  return (
    <>
      <dl class="figures figures-large">
        {figures.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{formatNumber(value)}</dd>
          </div>
        ))}
      </dl>
      {status !== 'draft' && <BookReport bookId={id} />}
      <section aria-labelledby="exports">
        <h2 id="exports">{rules.exports}</h2>
        <p class="muted">{rules.exportHint}</p>
        <div class="actions">
          <ExportButton label={rules.exportCodes} path={`/v1/books/${id}/codes?bom=true`} fileName="codes.csv" />
          <ExportButton
            label={rules.exportRedemptions}
            path={`/v1/redemptions?bookId=${id}&bom=true`}
            fileName="redemptions.csv"
          />
        </div>
      </section>
    </>
  );
}
