import { isAdmin } from '../../calls/session.ts';
import type { Book } from '../../calls/types.ts';
import type { Loaded } from '../../calls/use-load.ts';
import { messages } from '../../messages/messages.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';
import { BookFields } from './book-fields.tsx';
import { ConflictBox } from './conflict-box.tsx';
import { type Change, shownTerms, showTerm } from './describe-changes.ts';
import { useRulesForm } from './use-rules-form.ts';

/** The rules of a book: a form for whoever may change them, and for anybody else what they say. */
export function BookRules({ book }: { book: Loaded<Book> }) {
  const text = messages().rules;
  const now = book.data!;
  if (isAdmin() && now.status !== 'closed') return <RulesForm book={book} />;
  return (
    <div class="stack">
      {!isAdmin() && <p class="muted">{text.readOnly}</p>}
      {now.status === 'closed' && <p class="muted">{text.closedNote}</p>}
      <dl class="facts">
        {shownTerms
          .filter((term) => term !== 'status')
          .flatMap((term) => [
            <dt key={term}>{messages().terms[term].label}</dt>,
            <dd key={`${term} says`} dir="auto">
              {showTerm(term, now)}
            </dd>,
          ])}
      </dl>
    </div>
  );
}

/** The change of a book's rules: what it would mean is shown before it is made. */
function RulesForm({ book }: { book: Loaded<Book> }) {
  const text = messages().rules;
  const form = useRulesForm(book);
  const { base, problem, conflict, preview } = form;
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        form.ask();
      }}
    >
      <BookFields draft={form.draft} onDraft={form.setDraft} problem={problem} status={base.status} />
      <ProblemBox problem={problem} />
      {conflict !== null && (
        <ConflictBox changes={conflict}>
          <p>{text.conflictKept}</p>
          <Button onClick={form.goOn}>{text.conflictGoOn}</Button>
        </ConflictBox>
      )}
      <div class="actions">
        <Button kind="primary" type="submit">
          {text.save}
        </Button>
        {form.isUnchanged && <p role="status">{text.nothingChanged}</p>}
      </div>
      {preview !== null && (
        <Confirm<Book>
          title={text.previewTitle}
          action={text.apply}
          send={form.send}
          onDone={form.takeIn}
          onClose={form.close}
        >
          <ChangeList changes={preview} />
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
