import { linkTo } from '../../address/address.ts';
import { hasPublicStock } from '../../calls/public-stock.ts';
import { isAdmin } from '../../calls/session.ts';
import type { Book } from '../../calls/types.ts';
import type { LiveBook } from '../../calls/use-live-book.ts';
import { formatFigure } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { ButtonLink } from '../../parts/button.tsx';
import { directMaxRows, ExportButton } from '../../parts/export-button.tsx';
import { BookReport } from './book-report.tsx';
import { isDemo } from './remove-book.tsx';

/** A book's numbers as they are now, what is to be done next where it is not under way, and its lists as files. */
export function BookNumbers({ book }: { book: LiveBook }) {
  const { book: text, exports, terms } = messages();
  const { id, status, publicCode, counts } = book.data!;
  const used = [
    [text.assigned, counts.assigned],
    [text.redemptions, counts.redemptions],
    [text.voided, counts.voided],
  ] as const;
  const isPublic = hasPublicStock(book.data!);
  const figures = isPublic
    ? used
    : ([[text.available, counts.available], ...used, [text.codesInAll, counts.codes]] as const);
  return (
    <>
      <NextStep book={book.data!} />
      <dl class="figures figures-large">
        {publicCode !== null && (
          <div class="figure-text">
            <dt>{terms.publicCode.label}</dt>
            <dd>{publicCode}</dd>
          </div>
        )}
        {figures.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{formatFigure(value)}</dd>
          </div>
        ))}
      </dl>
      {status !== 'draft' && <BookReport bookId={id} asOf={book.asOf} />}
      {counts.codes > 0 && (
        <section aria-labelledby="exports">
          <h2 id="exports">{exports.title}</h2>
          <p class="muted">{exports.hint}</p>
          <div class="actions">
            {!isPublic && (
              <ExportButton
                label={exports.codes}
                path={`/v1/books/${id}/codes?bom=true`}
                fileName="codes.csv"
                job={{ kind: 'export-codes', bookId: id }}
                isLong={counts.codes > directMaxRows}
                rows={counts.codes}
              />
            )}
            {status !== 'draft' && (
              <>
                <ExportButton
                  label={exports.redemptions}
                  path={`/v1/redemptions?bookId=${id}&bom=true&local=true`}
                  fileName="redemptions.csv"
                  job={{ kind: 'export-redemptions', bookId: id }}
                  isLong={counts.redemptions > directMaxRows}
                  rows={counts.redemptions}
                />
                <ButtonLink kind="quiet" href={linkTo('/redemptions', { bookId: id })}>
                  {exports.lookThrough}
                </ButtonLink>
              </>
            )}
          </div>
        </section>
      )}
    </>
  );
}

/** What is missing until somebody can get a code of the book. */
function NextStep({ book }: { book: Book }) {
  const text = messages().book;
  if (book.status === 'closed' || isDemo(book)) return null;
  if (book.counts.codes === 0 && book.publicCode === null) {
    return (
      <div class="panel next-step">
        <p>{text.nextCodes}</p>
        <ButtonLink kind="primary" href={linkTo(`/books/${book.id}/decks`)}>
          {text.goToCodes}
        </ButtonLink>
      </div>
    );
  }
  if (book.status !== 'draft') return null;
  return (
    <div class="panel next-step">
      <p>{isAdmin() ? text.nextActivate : text.nextActivateByAdmin}</p>
    </div>
  );
}
