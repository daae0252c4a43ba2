import { useRef, useState } from 'preact/hooks';
import { goTo, linkTo } from '../../address/address.ts';
import { type Answer, call, newKey } from '../../calls/call.ts';
import type { Book } from '../../calls/types.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { viewerZone } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { Button } from '../../parts/button.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';
import { isDemo, RemoveBookDialog } from './remove-book.tsx';

const demoCodes = 1_000;

/** Makes a book to look around in, on an installation that has none. */
export function MakeDemoBook() {
  const text = messages().demo;
  const codesKey = useRef(newKey());
  const { submit, isBusy, problem } = useSubmit<Book>(
    (key) => makeDemo(key, codesKey.current),
    ({ id }) => goTo(linkTo(`/books/${id}`)),
  );
  return (
    <>
      <Button onClick={() => void submit()} isBusy={isBusy}>
        {isBusy ? text.making : text.make}
      </Button>
      <ProblemBox problem={problem} />
    </>
  );
}

async function makeDemo(bookKey: string, codesKey: string): Promise<Answer<Book>> {
  const { name, description } = messages().demo;
  const body = { name, description, timeZone: viewerZone(), maxCodesPerUser: 1, metadata: { demo: true } };
  const made = await call<Book>('POST', '/v1/books', { key: bookKey, body });
  if (!made.ok) return made;
  // Another demo's pattern could have the same codes.
  const pattern = `DEMO${codesKey.replaceAll(/[^0-9A-F]/gi, '').slice(0, 4)}-########`;
  const path = `/v1/books/${made.body.id}/codes/generate`;
  const filled = await call('POST', path, { key: codesKey, body: { count: demoCodes, pattern } });
  return filled.ok ? made : filled;
}

/** What stands above a demo book: what to look at, and the way to be rid of it. */
export function DemoNote({ book }: { book: Book }) {
  const text = messages().demo;
  const [isRemoving, setRemoving] = useState(false);
  if (!isDemo(book) || book.status !== 'draft') return null;
  return (
    <aside class="panel stack demo" aria-label={text.noteTitle}>
      <h2>{text.noteTitle}</h2>
      <p>{text.note}</p>
      <ul>
        {text.next.split('\n').map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ul>
      <div class="actions">
        <Button kind="caution" onClick={() => setRemoving(true)}>
          {text.remove}
        </Button>
      </div>
      {isRemoving && <RemoveBookDialog book={book} onClose={() => setRemoving(false)} />}
    </aside>
  );
}
