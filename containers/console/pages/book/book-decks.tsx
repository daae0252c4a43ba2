import { useEffect, useState } from 'preact/hooks';
import { linkTo } from '../../address/address.ts';
import { call } from '../../calls/call.ts';
import { hasPublicStock } from '../../calls/public-stock.ts';
import { isOperator } from '../../calls/session.ts';
import { reasonOf } from '../../calls/typed-reason.ts';
import type { Book, Deck, Page } from '../../calls/types.ts';
import { useFollowed } from '../../calls/use-followed.ts';
import { useKeyNames } from '../../calls/use-key-names.ts';
import type { LiveBook } from '../../calls/use-live-book.ts';
import { type LoadedList, useList } from '../../calls/use-load.ts';
import { formatMoment, formatNumber } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { actorName } from '../../parts/actor-name.ts';
import { Button, ButtonLink } from '../../parts/button.tsx';
import { About, Confirm } from '../../parts/dialog.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { TextField } from '../../parts/field.tsx';
import { ListTable } from '../../parts/list-table.tsx';
import { notify } from '../../parts/live.tsx';
import { rowNames } from '../../parts/row-names.ts';
import { ShortMoment } from '../../parts/time.tsx';
import { GenerateCodes } from './generate-codes.tsx';
import { UploadCodes } from './upload-codes.tsx';

/** The codes of a book: what is in it, and how more come. */
export function BookDecks({ book }: { book: LiveBook }) {
  const { decks: text, jobs } = messages();
  const data = book.data!;
  const decks = useLiveDecks(data.id, book.asOf);
  const isPublic = hasPublicStock(data);
  const isClosed = data.status === 'closed';
  const reload = () => {
    void decks.reload();
    void book.reload();
  };
  return (
    <>
      {!(isPublic && isClosed) && (
        <section aria-labelledby="decks">
          <h2 id="decks">{text.listTitle}</h2>
          {data.publicCode !== null && !isClosed && (
            <p>{isPublic ? text.publicStock(data.publicCode) : text.publicDeals(data.publicCode)}</p>
          )}
          {!isPublic && <DeckTable book={data} decks={decks} onVoided={reload} />}
        </section>
      )}
      {isOperator() && !isPublic && !isClosed && (
        <section class="columns">
          <GenerateCodes book={data} onDone={reload} />
          <UploadCodes book={data} onDone={reload} />
        </section>
      )}
      {isOperator() && (
        <section aria-labelledby="by-file">
          <h2 id="by-file">{jobs.byFile}</h2>
          <p class="muted">{jobs.byFileHint}</p>
          <div class="actions">
            {!isClosed && (
              <ButtonLink href={linkTo('/jobs', { kind: 'assign', bookId: data.id })}>{jobs.goAssign}</ButtonLink>
            )}
            <ButtonLink href={linkTo('/jobs', { kind: 'void', bookId: data.id })}>{jobs.goVoid}</ButtonLink>
          </div>
        </section>
      )}
    </>
  );
}

/** The decks of a book, whose numbers follow those of the book. */
function useLiveDecks(bookId: string, asOf: string | null): LoadedList<Deck> {
  const path = `/v1/books/${bookId}/decks`;
  const decks = useList<Deck>(path);
  const latest = useFollowed<Page<Deck>>(decks.items === null ? null : path, asOf, 2_000);
  useEffect(() => {
    if (latest === null) return;
    const byId = new Map(latest.data.map((deck) => [deck.id, deck]));
    const known = new Set(decks.items?.map(({ id }) => id));
    if (latest.data.every(({ id }) => known.has(id)))
      decks.change((items) => items.map((deck) => byId.get(deck.id) ?? deck));
    else void decks.reload();
  }, [latest]);
  return decks;
}

function DeckTable({ book, decks, onVoided }: { book: Book; decks: LoadedList<Deck>; onVoided: () => void }) {
  const text = messages().decks;
  const [chosen, setChosen] = useState<Deck | null>(null);
  const items = decks.items ?? [];
  const keys = useKeyNames(items.some(({ voidedAt }) => voidedAt !== null));
  const names = rowNames(
    items,
    ({ id }) => id,
    ({ kind, name, pattern, createdAt }) =>
      text.deckName(text.kinds[kind], name ?? pattern, formatMoment(createdAt, book.timeZone)),
  );
  const nameOf = ({ id }: Deck) => names.get(id) ?? id;
  return (
    <>
      <ListTable
        caption={text.listTitle}
        list={decks}
        keyOf={({ id }) => id}
        zone={book.timeZone}
        empty={
          <EmptyState title={text.empty}>
            <p>{text.emptyHint}</p>
          </EmptyState>
        }
        columns={[
          { title: text.kind, cell: (deck) => <Origin deck={deck} />, isHead: true },
          { title: text.addedAt, cell: ({ createdAt }) => <ShortMoment at={createdAt} zone={book.timeZone} /> },
          { title: text.size, cell: ({ size }) => formatNumber(size), isNumber: true },
          // Other counts than the book's own, which are of today: so they are called otherwise.
          { title: text.dealt, cell: ({ dealt }) => formatNumber(dealt), isNumber: true },
          { title: text.left, cell: (deck) => formatNumber(leftOf(deck)), isNumber: true },
          { title: text.voided, cell: ({ voided }) => formatNumber(voided), isNumber: true },
          {
            title: text.voiding,
            cell: (deck) =>
              leftOf(deck) > 0 ? (
                <Button kind="caution" aria-label={text.voidButtonOf(nameOf(deck))} onClick={() => setChosen(deck)}>
                  {text.voidButton}
                </Button>
              ) : (
                deck.voidedAt !== null && <MadeVoid deck={deck} at={deck.voidedAt} zone={book.timeZone} keys={keys} />
              ),
          },
        ]}
      />
      {chosen !== null && (
        <VoidDeck
          book={book}
          deck={chosen}
          name={nameOf(chosen)}
          onDone={(deck) => {
            setChosen(null);
            notify(messages().decks.voidedNow(deck.voided));
            onVoided();
          }}
          onClose={() => setChosen(null)}
        />
      )}
    </>
  );
}

/** Where a deck is from: by what its upload called itself, or the pattern of its codes. */
function Origin({ deck: { kind, name, pattern } }: { deck: Deck }) {
  return (
    <>
      {messages().decks.kinds[kind]}
      {name !== null && (
        <p class="cell-note">
          <bdi>{name}</bdi>
        </p>
      )}
      {pattern !== null && (
        <p class="cell-note">
          <bdi class="code">{pattern}</bdi>
        </p>
      )}
    </>
  );
}

/** When, by whom and why what was left of a deck was made void. */
function MadeVoid({
  deck: { voidedBy, voidedReason },
  at,
  zone,
  keys,
}: {
  deck: Deck;
  at: string;
  zone: string;
  keys: ReadonlyMap<string, string>;
}) {
  const { code: text } = messages();
  return (
    <>
      <ShortMoment at={at} zone={zone} />
      {voidedBy !== null && (
        <p class="cell-note" dir="auto">
          {text.who(actorName(voidedBy, keys))}
        </p>
      )}
      {voidedReason !== null && voidedReason !== '' && (
        <p class="cell-note" dir="auto">
          {text.events.because(voidedReason)}
        </p>
      )}
    </>
  );
}

/** Asks before what is left of a deck is made void, and why. */
function VoidDeck({
  book,
  deck,
  name,
  onDone,
  onClose,
}: {
  book: Book;
  deck: Deck;
  name: string;
  onDone: (deck: Deck) => void;
  onClose: () => void;
}) {
  const text = messages().decks;
  const [reason, setReason] = useState('');
  return (
    <Confirm<Deck>
      title={text.voidTitle}
      action={text.voidAction}
      kind="danger"
      typed={book.name}
      send={(key) => call('POST', `/v1/books/${book.id}/decks/${deck.id}/void`, { body: reasonOf(reason), key })}
      onDone={onDone}
      onClose={onClose}
    >
      <About>{name}</About>
      <p>{text.voidText(leftOf(deck))}</p>
      <p>{text.voidKept}</p>
      <TextField {...text.voidReason} isOptional value={reason} onValue={setReason} />
    </Confirm>
  );
}

function leftOf({ size, dealt, voided }: Deck): number {
  return size - dealt - voided;
}
