import { useState } from 'preact/hooks';
import { goTo, linkTo } from '../address/address.ts';
import { call } from '../calls/call.ts';
import { withFaults } from '../calls/problem.ts';
import type { Book } from '../calls/types.ts';
import { useSubmit } from '../calls/use-submit.ts';
import { viewerZone } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { CheckField } from '../parts/field.tsx';
import { notify } from '../parts/live.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { newDraft, termsOf } from './book/book-draft.ts';
import { faultyFields } from './book/book-faults.ts';
import { BookFields } from './book/book-fields.tsx';

/** Makes a book. */
export function NewBookPage() {
  const text = messages();
  const [draft, setDraft] = useState(() => newDraft(viewerZone()));
  const [isActive, setActive] = useState(false);
  const { submit, isBusy, problem } = useSubmit<Book>(
    async (key) => {
      const body = { ...termsOf(draft), status: isActive ? 'active' : 'draft' };
      const answer = await call<Book>('POST', '/v1/books', { body, key });
      if (answer.ok || answer.problem.kind !== 'invalid-input') return answer;
      return { ...answer, problem: withFaults(answer.problem, faultyFields(draft, Date.now()))! };
    },
    (book) => {
      goTo(linkTo(`/books/${book.id}`));
      notify(messages().overview.created(book.name));
    },
  );
  return (
    <Page title={text.overview.newTitle} above={<a href={linkTo('/')}>{text.shell.overview}</a>}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <BookFields draft={draft} onDraft={setDraft} problem={problem} status="draft" />
        <CheckField
          label={text.overview.createActive}
          help={text.overview.createActiveHelp}
          isOn={isActive}
          onValue={setActive}
        />
        <ProblemBox problem={problem} />
        <div class="actions">
          <Button kind="primary" type="submit" isBusy={isBusy}>
            {isBusy ? text.overview.creating : text.overview.create}
          </Button>
          <ButtonLink href={linkTo('/')}>{text.common.cancel}</ButtonLink>
        </div>
      </form>
    </Page>
  );
}
