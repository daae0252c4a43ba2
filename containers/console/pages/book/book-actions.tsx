import { useState } from 'preact/hooks';
import { isOver } from '../../calls/is-over.ts';
import { fieldError } from '../../calls/problem.ts';
import { isAdmin } from '../../calls/session.ts';
import type { Book } from '../../calls/types.ts';
import type { Loaded } from '../../calls/use-load.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { formatMoment, placeOf, toLocalInput } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { Button, type ButtonKind } from '../../parts/button.tsx';
import { About, Confirm, FormDialog } from '../../parts/dialog.tsx';
import { notify } from '../../parts/live.tsx';
import { MomentField } from '../../parts/moment-field.tsx';
import { draftOf } from './book-draft.ts';
import { endFault } from './book-faults.ts';
import { ConflictBox } from './conflict-box.tsx';
import type { Change } from './describe-changes.ts';
import { isDemo, RemoveBookDialog } from './remove-book.tsx';
import { useBookChange } from './use-book-change.ts';

type Act = 'activate' | 'pause' | 'resume' | 'close' | 'extend' | 'remove';

/** What may be done to a book in each status, the likeliest first. */
const actsOf: Record<Book['status'], readonly Act[]> = {
  draft: ['activate', 'remove'],
  active: ['pause', 'extend', 'close'],
  paused: ['resume', 'extend', 'close'],
  closed: [],
};

/** The same once its end has passed: nothing else has an effect on it before that is moved. */
const actsOfEnded: Record<Book['status'], readonly Act[]> = {
  draft: ['extend', 'activate', 'remove'],
  active: ['extend', 'close', 'pause'],
  paused: ['extend', 'close', 'resume'],
  closed: [],
};

const statusAfter = { activate: 'active', pause: 'paused', resume: 'active', close: 'closed' } as const;

/** What an admin may do to a book: activate, pause, resume, extend, close. Each says first what it does. */
export function BookActions({ book }: { book: Loaded<Book> }) {
  const text = messages().rules;
  const [act, setAct] = useState<Act | null>(null);
  const data = book.data!;
  const hasPassed = isOver(data.endsAt, Date.now());
  const possible = (hasPassed ? actsOfEnded : actsOf)[data.status];
  const acts = isAdmin() ? possible.filter((name) => isOffered(name, data)) : [];
  const { asking } = messages().common;
  const labels = {
    activate: asking(text.activate),
    pause: asking(text.pause),
    resume: asking(text.resume),
    close: text.closeButton,
    extend: text.extend,
    remove: messages().demo.remove,
  };
  const done = (changed: Book) => {
    setAct(null);
    book.replace(changed);
    const { statusChanged } = messages().rules;
    notify(
      changed.status === data.status || changed.status === 'draft'
        ? messages().rules.changed
        : statusChanged[changed.status],
    );
  };
  const close = () => {
    setAct(null);
    // What was refused may have been refused because the page is behind.
    void book.reload();
  };
  return (
    <>
      {acts.map((name) => (
        <Button key={name} kind={kindOf(name, data, hasPassed)} onClick={() => setAct(name)}>
          {labels[name]}
        </Button>
      ))}
      {act === 'extend' && <ExtendDialog book={data} onDone={done} onClose={close} />}
      {act === 'remove' && <RemoveBookDialog book={data} onClose={close} />}
      {act !== null && act !== 'extend' && act !== 'remove' && (
        <StatusDialog act={act} book={data} onDone={done} onClose={close} />
      )}
    </>
  );
}

/** A book without codes is to be filled first, which the page says and has a button for. */
function kindOf(act: Act, { counts, publicCode }: Book, hasPassed: boolean): ButtonKind {
  if (hasPassed && act !== 'close' && act !== 'remove') return act === 'extend' ? 'primary' : 'plain';
  if (act === 'activate') return counts.codes === 0 && publicCode === null ? 'plain' : 'primary';
  if (act === 'resume') return 'primary';
  return act === 'close' || act === 'remove' ? 'caution' : 'plain';
}

/** A demo has a button of its own to be removed by. */
function isOffered(act: Act, book: Book): boolean {
  if (act === 'extend') return book.endsAt !== null;
  return act !== 'remove' || !isDemo(book);
}

interface DialogProps {
  book: Book;
  onDone: (changed: Book) => void;
  onClose: () => void;
}

function StatusDialog({ act, book, onDone, onClose }: DialogProps & { act: keyof typeof statusAfter }) {
  const text = messages().rules;
  const change = useBookChange(book);
  const { base } = change;
  const { available, assigned } = base.counts;
  const titles = {
    activate: text.activateTitle,
    pause: text.pauseTitle,
    resume: text.resumeTitle,
    close: text.closeTitle,
  };
  const sentences = {
    activate: book.publicCode === null ? text.activateText(available) : text.activatePublic(book.publicCode),
    pause: text.pauseText,
    resume: text.resumeText,
    close: [
      book.publicCode !== null ? text.closePublic(book.publicCode) : available > 0 && text.closeText(available),
      assigned > 0 && text.closeOut(assigned),
      text.closeFinal,
    ]
      .filter(Boolean)
      .join(' '),
  };
  return (
    <Confirm<Book>
      title={titles[act]}
      action={act === 'close' ? text.closeAction : text[act]}
      kind={act === 'close' ? 'danger' : 'primary'}
      {...(act === 'close' ? { typed: book.name } : {})}
      send={() => change.send({ status: statusAfter[act] })}
      conflict={change.conflict !== null && <ChangedMeanwhile changes={change.conflict} />}
      onDone={onDone}
      onClose={onClose}
    >
      <About>{book.name}</About>
      {(act === 'activate' || act === 'resume') && isOver(base.endsAt, Date.now()) ? (
        <p class="warning">{text.endedText(formatMoment(base.endsAt!, base.timeZone), placeOf(base.timeZone))}</p>
      ) : (
        <p>{sentences[act]}</p>
      )}
    </Confirm>
  );
}

/** The next press of the button is for the book as it is now. */
function ChangedMeanwhile({ changes }: { changes: readonly Change[] }) {
  return (
    <ConflictBox changes={changes}>
      <p>{messages().rules.conflictAgain}</p>
    </ConflictBox>
  );
}

function ExtendDialog({ book, onDone, onClose }: DialogProps) {
  const text = messages();
  const [endsAt, setEndsAt] = useState(() => toLocalInput(book.endsAt!, book.timeZone));
  const fault = endFault({ ...draftOf(book), endsAt }, Date.now());
  const isEarlier = endsAt !== '' && endsAt < toLocalInput(book.endsAt!, book.timeZone);
  const change = useBookChange(book);
  const { submit, isBusy, problem } = useSubmit<Book>(() => change.send({ endsAt }), onDone);
  return (
    <FormDialog
      title={text.rules.extendTitle}
      action={text.rules.extendAction}
      isBusy={isBusy}
      problem={change.conflict === null ? problem : null}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <About>{book.name}</About>
      <MomentField
        label={text.rules.extendLabel}
        help={`${endsAt === '' ? `${text.common.timesOf(placeOf(book.timeZone))} ` : ''}${text.rules.extendText}`}
        zone={book.timeZone}
        value={endsAt}
        onValue={setEndsAt}
        error={fieldError(problem, 'endsAt')}
        warning={fault === null ? (isEarlier ? text.rules.shortens : null) : text.terms[fault]}
      />
      {change.conflict !== null && <ChangedMeanwhile changes={change.conflict} />}
    </FormDialog>
  );
}
