import { useState } from 'preact/hooks';
import { linkTo, part } from '../address/address.ts';
import { call } from '../calls/call.ts';
import { fieldError } from '../calls/problem.ts';
import type { Book, Coupon } from '../calls/types.ts';
import { useSubmit } from '../calls/use-submit.ts';
import { messages } from '../messages/messages.ts';
import { BookField } from './book-field.tsx';
import { Button } from './button.tsx';
import { About, Dialog, FormDialog } from './dialog.tsx';
import { TextField } from './field.tsx';
import { announce, notify } from './live.tsx';

/**
 * A button that gives a code of a book to a user, whichever code is drawn. It asks for the one of the two that the page
 * is not about, and then says the code, so that it can be read to whoever waits for it.
 */
export function GiveCode({
  book = null,
  userId = null,
  onGiven = () => {},
}: {
  book?: Pick<Book, 'id' | 'name'> | null;
  userId?: string | null;
  onGiven?: () => void;
}) {
  const [isAsking, setAsking] = useState(false);
  const [given, setGiven] = useState<Coupon | null>(null);
  return (
    <>
      <Button onClick={() => setAsking(true)}>{messages().code.give}</Button>
      {isAsking && (
        <WhoGets
          book={book}
          userId={userId}
          onDone={(coupon) => {
            setAsking(false);
            setGiven(coupon);
            announce(messages().code.given(coupon.userId ?? '', coupon.code));
            onGiven();
          }}
          onClose={() => setAsking(false)}
        />
      )}
      {given !== null && <GivenCode coupon={given} onClose={() => setGiven(null)} />}
    </>
  );
}

/** Asks which book's code it is to be, or who gets it. */
function WhoGets({
  book,
  userId,
  onDone,
  onClose,
}: {
  book: Pick<Book, 'id' | 'name'> | null;
  userId: string | null;
  onDone: (coupon: Coupon) => void;
  onClose: () => void;
}) {
  const { code: text, jobs } = messages();
  const [chosen, setChosen] = useState(book?.id ?? '');
  const [typed, setTyped] = useState(userId ?? '');
  const [isTried, setTried] = useState(false);
  const { submit, isBusy, problem } = useSubmit<Coupon>((key) => {
    // A user's id may have spaces around it; what is typed has them by mistake.
    const body = { bookId: chosen, userId: userId ?? typed.trim() };
    return call('POST', '/v1/coupons/assign', { body, key });
  }, onDone);
  return (
    <FormDialog
      title={userId === null ? text.giveTitle : text.giveTitleTo(userId)}
      action={text.giveAction}
      isBusy={isBusy}
      problem={problem}
      onSubmit={() => {
        setTried(true);
        if (chosen !== '') void submit();
      }}
      onClose={onClose}
    >
      {book !== null && <About>{book.name}</About>}
      <p>{text.giveText}</p>
      {book === null && (
        <BookField
          label={text.book}
          value={chosen}
          onValue={setChosen}
          none={jobs.chooseBook}
          status="active"
          error={isTried && chosen === '' ? jobs.bookMissing : fieldError(problem, 'bookId')}
        />
      )}
      {userId === null && (
        <TextField
          label={text.assignUser}
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onValue={setTyped}
          error={fieldError(problem, 'userId')}
        />
      )}
    </FormDialog>
  );
}

function GivenCode({ coupon: { code, userId }, onClose }: { coupon: Coupon; onClose: () => void }) {
  const { code: text, common } = messages();
  return (
    <Dialog title={text.givenTitle} onClose={onClose}>
      <p dir="auto">{text.givenTo(userId ?? '')}</p>
      <p>
        <a class="code" href={linkTo(`/codes/${part(code)}`)}>
          {code}
        </a>
      </p>
      <div class="dialog-actions">
        <Button
          onClick={() =>
            void navigator.clipboard?.writeText(code).then(
              () => notify(messages().common.copied),
              () => {},
            )
          }
        >
          {common.copy}
        </Button>
        <Button kind="primary" onClick={onClose}>
          {common.done}
        </Button>
      </div>
    </Dialog>
  );
}
