import { goTo, linkTo } from '../../address/address.ts';
import { call } from '../../calls/call.ts';
import type { Book } from '../../calls/types.ts';
import { messages } from '../../messages/messages.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { notify } from '../../parts/live.tsx';

/** Removes a draft from which nobody ever got a code. One that is no demo wants its name typed. */
export function RemoveBookDialog({ book, onClose }: { book: Book; onClose: () => void }) {
  const text = messages().demo;
  return (
    <Confirm<null>
      title={text.removeTitle}
      action={text.removeAction}
      kind="danger"
      {...(isDemo(book) ? {} : { typed: book.name })}
      send={async () => {
        const answer = await call<null>('DELETE', `/v1/books/${book.id}`);
        // It is gone already: by an attempt whose answer was lost, or by somebody else.
        return answer.ok || answer.status !== 404
          ? answer
          : { ok: true, status: 204, body: null, etag: null, isReplayed: false };
      }}
      onDone={() => {
        goTo(linkTo('/'));
        notify(messages().demo.removed);
      }}
      onClose={onClose}
    >
      <p>
        <strong dir="auto">{book.name}</strong>
      </p>
      <p>{text.removeText}</p>
    </Confirm>
  );
}

/** Whether the first-run walk made the book. */
export function isDemo(book: Book): boolean {
  return book.metadata['demo'] === true;
}
