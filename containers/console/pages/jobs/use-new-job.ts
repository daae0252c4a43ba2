import { useState } from 'preact/hooks';
import { address } from '../../address/address.ts';
import { call } from '../../calls/call.ts';
import type { Problem } from '../../calls/problem.ts';
import type { Job } from '../../calls/types.ts';
import { upload } from '../../calls/upload.ts';
import { type Sending, useSending } from '../../calls/use-sending.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { messages } from '../../messages/messages.ts';
import { isSpreadsheet } from '../../parts/file-drop.tsx';
import { notify } from '../../parts/live.tsx';

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

/** The form of a job that is to be started. */
export interface JobForm {
  kind: JobKind;
  /** The id of a book; empty: none. */
  bookId: string;
  file: File | null;
  isConfirmed: boolean;
  /** What is missing, as far as somebody tried to send it off. */
  faults: Faults;
  isBusy: boolean;
  problem: Problem | null;
  sending: Sending;
  chooseKind(kind: JobKind): void;
  chooseBook(bookId: string): void;
  chooseFile(file: File | null): void;
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
  const { submit, isBusy, problem, clear } = useSubmit<Job>(
    (key) => {
      const query = new URLSearchParams({ kind, ...(bookId === '' ? {} : { bookId }) });
      const path = `/v1/jobs?${query}`;
      if (!takesFile(kind)) return call('POST', path, { key });
      return upload(path, file!, { key, contentType: 'text/csv', ...sending.begin() });
    },
    (job) => {
      setFile(null);
      setConfirmed(false);
      const words = messages().jobs;
      notify(job.total === null ? words.exportStarted : words.started(job.total));
      onStarted();
    },
  );
  const change = (how: () => void, found: Faults = {}) => {
    clear();
    setFaults(found);
    how();
  };
  return {
    kind,
    bookId,
    file,
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
    confirm: setConfirmed,
    submit() {
      const found = faultsOf(kind, bookId, file, isConfirmed);
      setFaults(found);
      if (Object.keys(found).length === 0) void submit();
    },
  };
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
