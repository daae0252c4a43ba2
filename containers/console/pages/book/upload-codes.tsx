import { useState } from 'preact/hooks';
import type { Book, UploadedDeck } from '../../calls/types.ts';
import { upload } from '../../calls/upload.ts';
import { useSending } from '../../calls/use-sending.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { formatNumber } from '../../language/formats.ts';
import { type Messages, messages } from '../../messages/messages.ts';
import { Button } from '../../parts/button.tsx';
import { SelectField } from '../../parts/field.tsx';
import { FileDrop, isSpreadsheet, UploadProgress } from '../../parts/file-drop.tsx';
import { fileFault, useBesideFile } from '../../parts/file-fault.ts';
import { Table } from '../../parts/list-table.tsx';
import { announce } from '../../parts/live.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';
import { csvOf, saveFile } from '../../parts/save-file.ts';

const headerRules = ['auto', 'present', 'none'] as const;
/** Of a longer name of a file the beginning is kept: the API takes no more. */
const nameMaxCharacters = 200;

/** Brings a file of codes into a book. */
export function UploadCodes({ book, onDone }: { book: Book; onDone: () => void }) {
  const text = messages().decks;
  const [file, setFile] = useState<File | null>(null);
  const [header, setHeader] = useState<(typeof headerRules)[number]>('auto');
  const [fault, setFault] = useState<string | null>(null);
  const [result, setResult] = useState<UploadedDeck | null>(null);
  const sending = useSending();
  const { submit, isBusy, problem, clear } = useSubmit<UploadedDeck>(
    (key) => {
      const query = queryOf(file!, header);
      const options = { key, contentType: typeOf(file!.name), ...sending.begin() };
      return upload(`/v1/books/${book.id}/codes?${query}`, file!, options);
    },
    (deck) => {
      setFile(null);
      setResult(deck);
      announce(deck.deckId === null ? messages().decks.nothingTaken : messages().decks.uploaded(deck.accepted));
      onDone();
    },
  );
  const boxed = useBesideFile(problem);
  const choose = (chosen: File | null) => {
    clear();
    setResult(null);
    setFault(isSpreadsheet(chosen) ? text.spreadsheet : null);
    setFile(chosen);
  };
  return (
    <form
      class="panel stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (file === null) setFault(text.notChosen);
        else if (fault === null) void submit();
      }}
    >
      <h2>{text.uploadTitle}</h2>
      <p class="muted">{text.uploadIntro}</p>
      <FileDrop
        label={text.uploadLabel}
        help={text.uploadHelp}
        accept=".csv,.txt,.json,.ndjson,.jsonl,text/csv,text/plain"
        file={file}
        onFile={choose}
        error={fault ?? fileFault(problem)}
      />
      <SelectField
        label={text.header}
        value={header}
        onValue={setHeader}
        options={headerRules.map((rule) => [rule, text.headers[rule]] as const)}
      />
      {isBusy && <UploadProgress share={sending.share} />}
      {sending.wasStopped(problem) ? <p role="status">{text.stopped}</p> : <ProblemBox problem={boxed} />}
      <div class="actions">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {text.upload}
        </Button>
        {isBusy && <Button onClick={sending.stop}>{text.cancelUpload}</Button>}
      </div>
      {result !== null && <UploadResult result={result} />}
    </form>
  );
}

/** What the server is told of the file beside what is in it. */
function queryOf({ name }: File, header: (typeof headerRules)[number]): URLSearchParams {
  const query = new URLSearchParams(header === 'auto' ? {} : { header });
  const kept = [...name].slice(0, nameMaxCharacters).join('');
  if (kept.trim() !== '') query.set('name', kept);
  return query;
}

function UploadResult({ result }: { result: UploadedDeck }) {
  const text = messages().decks;
  const { deckId, accepted, rejected, duplicates } = result;
  const rejections = mistakesFirst(result);
  const reasonOf = ({ code, reason }: (typeof rejections)[number]) =>
    reason === 'code-has-invalid-character' && code.includes('\uFFFD') ? text.unreadable : text.reasons[reason];
  const save = () => {
    const rows = rejections.map((row) => [row.line, shownCode(row), reasonOf(row)]);
    saveFile(csvOf([[text.line, 'code', text.reason], ...rows]), 'rejected.csv');
  };
  return (
    <div class="stack">
      <p>
        <strong>{deckId === null ? text.nothingTaken : text.uploaded(accepted)}</strong>{' '}
        {rejected > 0 && text.rejected(rejected, duplicates === 0 ? null : formatNumber(duplicates))}
      </p>
      {rejections.length > 0 && (
        <>
          <div class="actions">
            <Button onClick={save}>{text.downloadRejections}</Button>
          </div>
          <details>
            <summary>
              {rejections.length < rejected ? text.rejectionsShown(rejections.length) : text.rejectionsTitle}
            </summary>
            <Table
              caption={text.rejectionsTitle}
              columns={[
                { title: text.line, cell: ({ line }) => formatNumber(line), isNumber: true },
                {
                  title: text.code,
                  cell: (row) => <bdi class="code breaks">{shownCode(row)}</bdi>,
                  isHead: true,
                },
                { title: text.reason, cell: reasonOf },
              ]}
              rows={rejections}
              keyOf={({ line }) => String(line)}
            />
          </details>
        </>
      )}
    </div>
  );
}

/** Rows that somebody has to mend stand before those whose code is there already, as when a file is brought again. */
function mistakesFirst({ rejections, mistakes }: UploadedDeck): UploadedDeck['rejections'] {
  const [there, wrong] = [true, false].map((wanted) =>
    rejections.filter(({ reason }) => reason.startsWith('duplicate-') === wanted),
  ) as [UploadedDeck['rejections'], UploadedDeck['rejections']];
  return [...(mistakes ?? wrong), ...there];
}

/** Of a code that is too long there is only the beginning, which would be a code if it were brought again. */
function shownCode({ code, reason }: { code: string; reason: keyof Messages['decks']['reasons'] }): string {
  return reason === 'code-too-long' ? `${code}…` : code;
}

function typeOf(name: string): string {
  if (/\.json$/i.test(name)) return 'application/json';
  return /\.(ndjson|jsonl)$/i.test(name) ? 'application/x-ndjson' : 'text/csv';
}
