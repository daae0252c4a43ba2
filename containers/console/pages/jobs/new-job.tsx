import { useRef, useState } from 'preact/hooks';
import { address } from '../../address/address.ts';
import { call } from '../../calls/call.ts';
import { fieldError } from '../../calls/problem.ts';
import type { Job } from '../../calls/types.ts';
import { upload } from '../../calls/upload.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { messages } from '../../messages/messages.ts';
import { BookField } from '../../parts/book-field.tsx';
import { Button } from '../../parts/button.tsx';
import { CheckField, SelectField } from '../../parts/field.tsx';
import { FileDrop, isSpreadsheet, UploadProgress } from '../../parts/file-drop.tsx';
import { notify } from '../../parts/live.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';

const kinds = ['assign', 'void', 'export-codes', 'export-redemptions'] as const satisfies readonly Job['kind'][];
type Kind = (typeof kinds)[number];

const needsBook = (kind: Kind) => kind === 'assign' || kind === 'export-codes';
const takesFile = (kind: Kind) => kind === 'assign' || kind === 'void';

/** What is missing before a job can be sent off, in words. */
interface Faults {
  book?: string;
  file?: string;
  confirmed?: string;
}

/** Starts a job, of the kind and the book that the address names where it names them. */
export function NewJob({ onStarted }: { onStarted: () => void }) {
  const text = messages().jobs;
  const [kind, setKind] = useState<Kind>(
    () => kinds.find((one) => one === address.value.query.get('kind')) ?? 'assign',
  );
  const [bookId, setBookId] = useState(() => address.value.query.get('bookId') ?? '');
  const [file, setFile] = useState<File | null>(null);
  const [isConfirmed, setConfirmed] = useState(false);
  const [faults, setFaults] = useState<Faults>({});
  const [share, setShare] = useState(0);
  const stop = useRef<AbortController | null>(null);
  const { submit, isBusy, problem, clear } = useSubmit<Job>(
    (key) => {
      const query = new URLSearchParams({ kind, ...(bookId === '' ? {} : { bookId }) });
      const path = `/v1/jobs?${query}`;
      if (!takesFile(kind)) return call('POST', path, { key });
      const controller = new AbortController();
      stop.current = controller;
      setShare(0);
      return upload(path, file!, {
        key,
        contentType: 'text/csv',
        onProgress: setShare,
        signal: controller.signal,
      });
    },
    (job) => {
      setFile(null);
      setConfirmed(false);
      const words = messages().jobs;
      notify(job.total === null ? words.exportStarted : words.started(job.total));
      onStarted();
    },
  );
  const changed = () => {
    clear();
    setFaults({});
  };
  const faultsNow = (): Faults => ({
    ...(needsBook(kind) && bookId === '' ? { book: text.bookMissing } : {}),
    ...(takesFile(kind) && file === null ? { file: text.notChosen } : {}),
    ...(takesFile(kind) && isSpreadsheet(file) ? { file: messages().decks.spreadsheet } : {}),
    ...(kind === 'void' && !isConfirmed ? { confirmed: text.voidUnconfirmed } : {}),
  });
  const isStopped = stop.current?.signal.aborted === true && problem?.kind === 'lost-connection';
  return (
    <form
      class="panel stack"
      aria-labelledby="new-job"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const found = faultsNow();
        setFaults(found);
        if (Object.keys(found).length === 0) void submit();
      }}
    >
      <h2 id="new-job">{text.newTitle}</h2>
      <SelectField
        label={text.kind}
        value={kind}
        onValue={(chosen) => {
          changed();
          setKind(chosen);
          // A file of users is none of codes.
          setFile(null);
        }}
        options={kinds.map((one) => [one, text.kinds[one]] as const)}
      />
      <BookField
        label={text.book}
        value={bookId}
        onValue={(chosen) => {
          changed();
          setBookId(chosen);
        }}
        none={needsBook(kind) ? text.chooseBook : text.anyBook}
        error={faults.book ?? fieldError(problem, 'bookId')}
      />
      {(kind === 'assign' || kind === 'void') && (
        <FileDrop
          key={kind}
          label={text.files[kind].label}
          help={text.files[kind].help}
          accept=".csv,.txt,text/csv,text/plain"
          file={file}
          onFile={(chosen) => {
            changed();
            setFile(chosen);
            if (isSpreadsheet(chosen)) setFaults({ file: messages().decks.spreadsheet });
          }}
          error={faults.file ?? null}
        />
      )}
      {kind === 'void' && (
        <CheckField
          label={text.voidConfirm}
          isOn={isConfirmed}
          onValue={setConfirmed}
          error={isConfirmed ? null : (faults.confirmed ?? null)}
        />
      )}
      {isBusy && takesFile(kind) && <UploadProgress share={share} />}
      {isStopped ? <p role="status">{text.stopped}</p> : <ProblemBox problem={problem} />}
      <div class="actions">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {text.starts[kind]}
        </Button>
        {isBusy && takesFile(kind) && (
          <Button onClick={() => stop.current?.abort()}>{messages().decks.cancelUpload}</Button>
        )}
      </div>
    </form>
  );
}
