import { address } from '../../address/address.ts';
import { hasEnded } from '../../calls/is-over.ts';
import { fieldError } from '../../calls/problem.ts';
import type { Book } from '../../calls/types.ts';
import { messages } from '../../messages/messages.ts';
import { BookField } from '../../parts/book-field.tsx';
import { Button } from '../../parts/button.tsx';
import { CheckField, SelectField, TextField } from '../../parts/field.tsx';
import { FileDrop, UploadProgress } from '../../parts/file-drop.tsx';
import { fileFault, useBesideFile } from '../../parts/file-fault.ts';
import { ProblemBox } from '../../parts/problem-box.tsx';
import { type JobForm, jobKinds, needsBook, takesFile, useNewJob } from './use-new-job.ts';

/** Starts a job, of the kind and the book that the address names where it names them. */
export function NewJob({ onStarted }: { onStarted: () => void }) {
  const text = messages().jobs;
  const form = useNewJob(onStarted);
  const { kind, isBusy, problem, sending } = form;
  const isSending = isBusy && takesFile(kind);
  const boxed = useBesideFile(problem);
  return (
    <form
      class="panel stack"
      aria-labelledby="new-job"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        form.submit();
      }}
    >
      <h2 id="new-job">{text.newTitle}</h2>
      <RestNote form={form} />
      <JobFields form={form} />
      {isSending && <UploadProgress share={sending.share} />}
      {sending.wasStopped(problem) ? <p role="status">{text.stopped}</p> : <ProblemBox problem={boxed} />}
      <div class="actions">
        <Button kind={kind === 'void' ? 'danger' : 'primary'} type="submit" isBusy={isBusy}>
          {text.starts[kind]}
        </Button>
        {isSending && <Button onClick={sending.stop}>{messages().decks.cancelUpload}</Button>}
      </div>
    </form>
  );
}

/** Why every row of a file of users would be refused; null where some may not. */
function whyItGivesNothing(book: Book): string | null {
  const words = messages().jobs.givesNothing;
  if (hasEnded(book)) return words.ended;
  return book.status === 'active' ? null : words[book.status];
}

/** What of a former job is done again. */
function RestNote({ form: { kind, rest, file } }: { form: JobForm }) {
  const text = messages();
  if (rest === 'reading') return <p class="loading">{text.common.loading}</p>;
  if (rest === 'none') return <p role="status">{text.jobs.restNone}</p>;
  if (rest === 'chosen') return file === null ? null : <p role="status">{text.jobs.restChosen}</p>;
  if (rest !== null) return <ProblemBox problem={rest} />;
  const isAgain = address.value.query.has('again') && !takesFile(kind);
  return isAgain ? <p class="muted">{text.jobs.restExport}</p> : null;
}

function JobFields({ form }: { form: JobForm }) {
  const text = messages().jobs;
  const { kind, faults, isConfirmed } = form;
  return (
    <>
      <SelectField
        label={text.kind}
        value={kind}
        onValue={form.chooseKind}
        options={jobKinds.map((one) => [one, text.kinds[one]] as const)}
      />
      <BookField
        label={text.book}
        value={form.bookId}
        onValue={form.chooseBook}
        none={needsBook(kind) ? text.chooseBook : text.anyBook}
        error={faults.book ?? fieldError(form.problem, 'bookId')}
        warningOf={kind === 'assign' ? whyItGivesNothing : undefined}
      />
      {takesFile(kind) && (
        <FileDrop
          key={kind}
          label={text.files[kind].label}
          help={text.files[kind].help}
          accept=".csv,.txt,text/csv,text/plain"
          file={form.file}
          onFile={form.chooseFile}
          error={faults.file ?? fileFault(form.problem)}
        />
      )}
      {form.lacksReasons && (
        <TextField {...text.restReason} isOptional maxLength={500} value={form.reason} onValue={form.giveReason} />
      )}
      {kind === 'void' && (
        <CheckField
          label={text.voidConfirm}
          isOn={isConfirmed}
          onValue={form.confirm}
          error={isConfirmed ? null : (faults.confirmed ?? null)}
        />
      )}
    </>
  );
}
