import { useMemo, useRef, useState } from 'preact/hooks';
import { call } from '../../calls/call.ts';
import { changeBook } from '../../calls/change-book.ts';
import type { Problem } from '../../calls/problem.ts';
import { isAdmin } from '../../calls/session.ts';
import type { Book } from '../../calls/types.ts';
import type { Loaded } from '../../calls/use-load.ts';
import { fromLocalInput } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { notify } from '../../parts/live.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';
import { type BookDraft, changedTerms, draftOf, termsOf } from './book-draft.ts';
import { BookFields } from './book-fields.tsx';
import { ConflictBox } from './conflict-box.tsx';
import { type Change, describeChanges, type Terms } from './describe-changes.ts';

/** The rules of a book, and their change: what it would mean is shown before it is made. */
export function BookRules({ book }: { book: Loaded<Book> }) {
  const text = messages().rules;
  // What the form began with. Another revision comes in only when somebody takes it in.
  const [base, setBase] = useState(book.data!);
  const [draft, setDraft] = useState(() => draftOf(base));
  const [isPreviewed, setPreviewed] = useState(false);
  const [isUnchanged, setUnchanged] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [latest, setLatest] = useState<Book | null>(null);
  const now = useRef(Date.now());
  const changes = changedTerms(draftOf(base), draft);
  const conflict = useMemo(() => (latest === null ? [] : describeChanges(base, latest, now.current)), [base, latest]);
  const mayChange = isAdmin() && base.status !== 'closed';

  const send = async () => {
    const answer = await changeBook(base, changes);
    if (answer.ok) return answer;
    if (answer.status === 412) {
      const present = await call<Book>('GET', `/v1/books/${base.id}`);
      if (present.ok) setLatest(present.body);
    }
    setProblem(answer.problem);
    // What is wrong stands beside the fields, or above them: the question is over.
    setPreviewed(false);
    return answer;
  };
  const takeIn = (changed: Book) => {
    setBase(changed);
    setDraft(draftOf(changed));
    setPreviewed(false);
    setProblem(null);
    book.replace(changed);
    notify(messages().rules.changed);
  };
  const goOn = () => {
    if (latest === null) return;
    setDraft({ ...draftOf(latest), ...changedFields(draftOf(base), draft) });
    setBase(latest);
    book.replace(latest);
    setLatest(null);
    setProblem(null);
  };

  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        now.current = Date.now();
        setUnchanged(Object.keys(changes).length === 0);
        setPreviewed(Object.keys(changes).length > 0);
      }}
    >
      {!isAdmin() && <p class="muted">{text.readOnly}</p>}
      {base.status === 'closed' && <p class="muted">{text.closedNote}</p>}
      <fieldset class="bare" disabled={!mayChange}>
        <BookFields
          draft={draft}
          onDraft={setDraft}
          problem={latest === null ? problem : null}
          isDraft={base.status === 'draft'}
        />
      </fieldset>
      <ProblemBox problem={latest === null ? problem : null} />
      {latest !== null && (
        <ConflictBox changes={conflict}>
          <p>{text.conflictKept}</p>
          <Button onClick={goOn}>{text.conflictGoOn}</Button>
        </ConflictBox>
      )}
      {mayChange && (
        <div class="actions">
          <Button kind="primary" type="submit">
            {text.save}
          </Button>
          {isUnchanged && Object.keys(changes).length === 0 && <p role="status">{text.nothingChanged}</p>}
        </div>
      )}
      {isPreviewed && (
        <Confirm<Book>
          title={text.previewTitle}
          action={text.apply}
          send={send}
          onDone={takeIn}
          onClose={() => setPreviewed(false)}
        >
          <ChangeList changes={describeChanges(base, termsAfter(base, draft), now.current)} />
        </Confirm>
      )}
    </form>
  );
}

function ChangeList({ changes }: { changes: readonly Change[] }) {
  return (
    <ul class="changes">
      {changes.map(({ term, sentence, meaning }) => (
        <li key={term}>
          <strong dir="auto">{sentence}</strong>
          {meaning !== null && <p>{meaning}</p>}
        </li>
      ))}
    </ul>
  );
}

/** The fields of a form that somebody has changed. */
function changedFields(before: BookDraft, after: BookDraft): Partial<BookDraft> {
  return Object.fromEntries(
    Object.entries(after).filter(([field, value]) => before[field as keyof BookDraft] !== value),
  );
}

/** What a book would be with what a form says. What can't be read yet, the server will name. */
function termsAfter(base: Book, draft: BookDraft): Terms {
  const changes = changedTerms(draftOf(base), draft);
  const given = termsOf(draft);
  const times = Object.fromEntries(
    (['startsAt', 'endsAt'] as const)
      .filter((term) => term in changes)
      .map((term) => [term, given[term] === null ? null : fromLocalInput(draft[term], draft.timeZone)]),
  );
  return { ...base, ...changes, ...times } as Terms;
}
