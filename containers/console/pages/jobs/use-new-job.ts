import { useEffect, useRef, useState } from 'preact/hooks';
import { address } from '../../address/address.ts';
import { call } from '../../calls/call.ts';
import { download } from '../../calls/download.ts';
import type { Problem } from '../../calls/problem.ts';
import type { Job } from '../../calls/types.ts';
import { upload } from '../../calls/upload.ts';
import { type Sending, useSending } from '../../calls/use-sending.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { messages } from '../../messages/messages.ts';
import { isSpreadsheet } from '../../parts/file-drop.tsx';
import { notify } from '../../parts/live.tsx';
import { restOfJob } from './rest-of-job.ts';

/** The kinds of jobs that somebody can start. */
export const jobKinds = [
  'assign',
  'void',
  'export-codes',
  'export-redemptions',
] as const satisfies readonly Job['kind'][];
/** One of them. */
export type JobKind = (typeof jobKinds)[number];
/** Those that are told by a file what to do. */
export type FileKind = Extract<JobKind, 'assign' | 'void'>;

/** Whether a job of this kind is about one book. */
export const needsBook = (kind: JobKind) => kind === 'assign' || kind === 'export-codes';
/** Whether a job of this kind has a file. */
export const takesFile = (kind: JobKind): kind is FileKind => kind === 'assign' || kind === 'void';

/** What is missing before a job can be sent off, in words. */
interface Faults {
  book?: string;
  file?: string;
  confirmed?: string;
}

/** The rows of a former job that are to be brought again: on their way, chosen as the file, or none. */
export type Rest = 'reading' | 'chosen' | 'none' | Problem;

/** A file of what a former job has not done, and the result that it was made of. */
interface RestFile {
  file: File;
  result: Blob;
  jobId: string;
}

/** The form of a job that is to be started. */
export interface JobForm {
  /** Null where no former job is done again. */
  rest: Rest | null;
  kind: JobKind;
  /** The id of a book; empty: none. */
  bookId: string;
  file: File | null;
  /** Whether the file is that of the rows which a former job has not made void: it has none of their reasons. */
  lacksReasons: boolean;
  /** For each row of a file that lacks them; empty: none. */
  reason: string;
  isConfirmed: boolean;
  /** What is missing, as far as somebody tried to send it off. */
  faults: Faults;
  isBusy: boolean;
  problem: Problem | null;
  sending: Sending;
  chooseKind(kind: JobKind): void;
  chooseBook(bookId: string): void;
  chooseFile(file: File | null): void;
  giveReason(reason: string): void;
  confirm(isConfirmed: boolean): void;
  /** Sends it off, where nothing is missing. */
  submit(): void;
}

/** Keeps the form of a job: of the kind and the book that the address names where it names them. */
export function useNewJob(onStarted: () => void): JobForm {
  const [kind, setKind] = useState<JobKind>(
    () => jobKinds.find((one) => one === address.value.query.get('kind')) ?? 'assign',
  );
  const [bookId, setBookId] = useState(() => address.value.query.get('bookId') ?? '');
  const [file, setFile] = useState<File | null>(null);
  const [isConfirmed, setConfirmed] = useState(false);
  const [faults, setFaults] = useState<Faults>({});
  const sending = useSending();
  const { rest, restFile } = useRest(kind, setFile);
  const lacksReasons = kind === 'void' && file !== null && file === restFile?.file;
  const [reason, setReason] = useState('');
  const wasBrought = useRef(false);
  const { submit, isBusy, problem, clear } = useSubmit<Job>(
    async (key) => {
      const query = new URLSearchParams({ kind, ...(bookId === '' ? {} : { bookId }) });
      const path = `/v1/jobs?${query}`;
      if (!takesFile(kind)) return call('POST', path, { key });
      const rows = lacksReasons ? await withReason(restFile!, reason.trim()) : file!;
      // What a job left is brought once, however often and by whomever somebody begins with it anew.
      const isRest = rows === restFile?.file;
      const once = isRest ? `rest-${restFile!.jobId}-${bookId}` : key;
      const answer = await upload<Job>(path, rows, { key: once, contentType: 'text/csv', ...sending.begin() });
      wasBrought.current = isRest && answer.ok && answer.isReplayed;
      return answer;
    },
    (job) => {
      setFile(null);
      setConfirmed(false);
      tellStarted(job, wasBrought.current);
      onStarted();
    },
  );
  const change = (how: () => void, found: Faults = {}) => {
    clear();
    setFaults(found);
    how();
  };
  return {
    rest,
    kind,
    bookId,
    file,
    lacksReasons,
    reason,
    isConfirmed,
    faults,
    isBusy,
    problem,
    sending,
    chooseKind: (chosen) =>
      change(() => {
        setKind(chosen);
        // A file of users is none of codes.
        setFile(null);
      }),
    chooseBook: (chosen) => change(() => setBookId(chosen)),
    chooseFile: (chosen) =>
      change(() => setFile(chosen), isSpreadsheet(chosen) ? { file: messages().decks.spreadsheet } : {}),
    giveReason: (written) => change(() => setReason(written)),
    confirm: setConfirmed,
    submit() {
      const found = faultsOf(kind, bookId, file, isConfirmed);
      setFaults(found);
      if (Object.keys(found).length === 0) void submit();
    },
  };
}

function tellStarted({ kind, total }: Job, wasBrought: boolean): void {
  const words = messages().jobs;
  if (wasBrought) notify(words.restBrought);
  // Of users, it is how many codes they are to have: more than there are rows, where some get several.
  else notify(takesFile(kind) ? words.startedFor[kind](total ?? 0) : words.exportStarted);
}

/** Makes a file of what a former job, which the address names, has not done. */
function useRest(kind: JobKind, onFile: (file: File) => void): { rest: Rest | null; restFile: RestFile | null } {
  const former = address.value.query.get('again');
  const [rest, setRest] = useState<Rest | null>(former !== null && takesFile(kind) ? 'reading' : null);
  const [restFile, setRestFile] = useState<RestFile | null>(null);
  useEffect(() => {
    if (former === null || !takesFile(kind)) return;
    const controller = new AbortController();
    void read(former, kind, controller.signal).then((found) => {
      if (found === null) return;
      if (found === 'none' || 'kind' in found) {
        setRest(found);
        return;
      }
      setRestFile(found);
      onFile(found.file);
      setRest('chosen');
    });
    return () => controller.abort();
  }, [former]);
  return { rest, restFile };
}

async function read(jobId: string, kind: FileKind, signal: AbortSignal): Promise<RestFile | 'none' | Problem | null> {
  const outcome = await download(`/v1/jobs/${jobId}/result`, () => {}, signal);
  if (outcome === 'stopped') return null;
  if ('problem' in outcome) return outcome.problem;
  const result = outcome.content;
  const rows = restOfJob(kind, await result.text());
  return rows === null ? 'none' : { file: new File([rows], 'rest.csv', { type: 'text/csv' }), result, jobId };
}

/** The rows to be made void, each with the same reason. */
async function withReason({ file, result }: RestFile, reason: string): Promise<File> {
  if (reason === '') return file;
  return new File([restOfJob('void', await result.text(), reason) ?? ''], file.name, { type: file.type });
}

function faultsOf(kind: JobKind, bookId: string, file: File | null, isConfirmed: boolean): Faults {
  const text = messages().jobs;
  return {
    ...(needsBook(kind) && bookId === '' ? { book: text.bookMissing } : {}),
    ...(takesFile(kind) && file === null ? { file: text.notChosen } : {}),
    ...(takesFile(kind) && isSpreadsheet(file) ? { file: messages().decks.spreadsheet } : {}),
    ...(kind === 'void' && !isConfirmed ? { confirmed: text.voidUnconfirmed } : {}),
  };
}
