import { useState } from 'preact/hooks';
import { address, linkTo } from '../address/address.ts';
import { call } from '../calls/call.ts';
import type { Book, Job } from '../calls/types.ts';
import { useBooks } from '../calls/use-books.ts';
import { useLiveList } from '../calls/use-live-list.ts';
import type { LoadedList } from '../calls/use-load.ts';
import { formatDuration, formatNumber, viewerZone } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { BookLink } from '../parts/book-link.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { DownloadButton } from '../parts/download-button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { resultPath } from '../parts/export-job.tsx';
import { ServerWords } from '../parts/field-error.tsx';
import { type Column, ListTable } from '../parts/list-table.tsx';
import { notify } from '../parts/live.tsx';
import { Page } from '../parts/page.tsx';
import { rowNames } from '../parts/row-names.ts';
import { ShortMoment } from '../parts/time.tsx';
import { NewJob } from './jobs/new-job.tsx';
import { needsBook, takesFile } from './jobs/use-new-job.ts';

const tones: Record<Job['status'], Tone> = {
  queued: 'quiet',
  running: 'good',
  done: 'good',
  failed: 'danger',
  cancelled: 'quiet',
};

const isUnderWay = ({ status }: Job) => status === 'queued' || status === 'running';

/** Work in the background: how far it is, what came of it, and starting more. */
export function JobsPage() {
  const text = messages().jobs;
  const jobs = useLiveList<Job>('/v1/jobs?limit=100', ({ id }) => id, isUnderWay);
  const { query } = address.value;
  // Whoever comes from a book wants to start one; else what is under way is looked at.
  const isToStart = query.has('kind');
  const newJob = <NewJob key={`${query.get('kind')} ${query.get('again')}`} onStarted={() => void jobs.reload()} />;
  return (
    <Page title={text.title} intro={<p>{text.intro}</p>}>
      {isToStart && newJob}
      <JobTable jobs={jobs} presentId={query.get('job')} />
      {!isToStart && newJob}
    </Page>
  );
}

/** @param presentId the job that the address names */
function JobTable({ jobs, presentId }: { jobs: LoadedList<Job>; presentId: string | null }) {
  const text = messages().jobs;
  const [chosen, setChosen] = useState<Job | null>(null);
  const zone = viewerZone();
  const books = useBooks((jobs.items ?? []).map(({ bookId }) => bookId));
  const names = namesOf(jobs.items ?? [], books);
  const nameOf = ({ id, kind }: Job) => names.get(id) ?? text.kinds[kind];
  return (
    <>
      <ListTable
        caption={text.title}
        list={jobs}
        keyOf={({ id }) => id}
        zone={zone}
        isPresent={({ id }) => id === presentId}
        empty={
          <EmptyState title={text.empty}>
            <p>{text.emptyHint}</p>
          </EmptyState>
        }
        columns={[
          { title: text.kind, isHead: true, cell: ({ kind }) => text.kinds[kind] },
          {
            title: text.book,
            // One that needs a book and names none is about a book that was removed.
            cell: ({ kind, bookId }) =>
              bookId === null ? (
                !needsBook(kind) && text.anyBook
              ) : (
                <BookLink id={bookId} name={books.get(bookId)?.name} />
              ),
          },
          { title: text.status, cell: (job) => <JobStatus job={job} /> },
          { title: text.progress, cell: (job) => <JobProgress job={job} name={nameOf(job)} /> },
          // A list refuses nothing.
          ...((jobs.items ?? []).some(({ kind }) => takesFile(kind)) ? [refusedColumn()] : []),
          {
            title: text.startedAt,
            cell: ({ startedAt }) => startedAt !== null && <ShortMoment at={startedAt} zone={zone} />,
          },
          { title: text.took, isNumber: true, cell: (job) => durationOf(job) },
          {
            title: text.actions,
            cell: (job) => <JobButton job={job} name={nameOf(job)} onCancel={() => setChosen(job)} />,
          },
        ]}
      />
      {chosen !== null && (
        <CancelJob
          job={chosen}
          name={nameOf(chosen)}
          onClose={() => {
            setChosen(null);
            // What was refused may have ended meanwhile.
            void jobs.reload();
          }}
        />
      )}
    </>
  );
}

function refusedColumn(): Column<Job> {
  return {
    title: messages().jobs.refused,
    isNumber: true,
    cell: ({ kind, refused }) => takesFile(kind) && formatNumber(refused),
  };
}

/** What jobs are called, by their ids: no two the same. */
function namesOf(jobs: readonly Job[], books: ReadonlyMap<string, Book | null>): Map<string, string> {
  const { kinds } = messages().jobs;
  return rowNames(
    jobs,
    ({ id }) => id,
    ({ kind, bookId }) => {
      const book = bookId === null ? undefined : books.get(bookId)?.name;
      return book === undefined ? kinds[kind] : `${kinds[kind]}, ${book}`;
    },
  );
}

/** Null while it has no end. */
function durationOf({ startedAt, finishedAt }: Job): string | null {
  if (startedAt === null || finishedAt === null) return null;
  return formatDuration(Date.parse(finishedAt) - Date.parse(startedAt));
}

/** What may be done with a job: ended while it is under way, and its result saved after. */
function JobButton({ job, name, onCancel }: { job: Job; name: string; onCancel: () => void }) {
  const text = messages().jobs;
  if (isUnderWay(job)) {
    return (
      <Button aria-label={text.cancelOf(name)} onClick={onCancel}>
        {text.cancel}
      </Button>
    );
  }
  return (
    <div class="actions">
      {hasResult(job) && <DownloadButton label={text.result} name={text.resultOf(name)} path={resultPath(job.id)} />}
      {isLeft(job) && (
        <ButtonLink href={againLink(job)} name={takesFile(job.kind) ? text.againOf(name) : text.startAgainOf(name)}>
          {takesFile(job.kind) ? text.again : text.startAgain}
        </ButtonLink>
      )}
    </div>
  );
}

/** Whether something of a job that has ended is not done: rows that were refused, or that it did not come to. */
function isLeft({ kind, status, refused }: Job): boolean {
  return status === 'failed' || status === 'cancelled' || (refused > 0 && takesFile(kind));
}

/** The form of a new job, which has what is left of this one. */
function againLink({ id, kind, bookId }: Job): string {
  return linkTo('/jobs', { kind, bookId, again: id });
}

/** Asks before a job is ended. @param onClose called after it was, too */
function CancelJob({ job, name, onClose }: { job: Job; name: string; onClose: () => void }) {
  const text = messages().jobs;
  return (
    <Confirm<Job>
      title={text.cancelTitle}
      action={text.cancelNow}
      kind="danger"
      send={(key) => call('POST', `/v1/jobs/${job.id}/cancel`, { key })}
      onDone={() => {
        notify(messages().jobs.cancelled);
        onClose();
      }}
      onClose={onClose}
    >
      <p dir="auto">{text.cancelText(name, job.done)}</p>
    </Confirm>
  );
}

/** A list that was not written to its end is none. */
function hasResult({ kind, status }: Job): boolean {
  return status === 'done' || takesFile(kind);
}

function JobStatus({ job: { status, error, done, refused } }: { job: Job }) {
  const text = messages().jobs;
  return (
    <>
      {status === 'done' && done > 0 && refused === done ? (
        <Badge tone="warning">{text.allRefused}</Badge>
      ) : (
        <Badge tone={tones[status]}>{text.statuses[status]}</Badge>
      )}
      {error !== null && (
        <div class="muted cell-note">
          {text.serverSays} <ServerWords text={error} />
        </div>
      )}
    </>
  );
}

function JobProgress({ job, name }: { job: Job; name: string }) {
  const { status, done, total } = job;
  return (
    <div class="progress-cell">
      {status === 'running' && total !== null && <progress aria-label={name} value={done} max={Math.max(total, 1)} />}
      <span>{progressOf(job)}</span>
    </div>
  );
}

/** How far a job is, in words; of one that ended before its end, what of it was done and what was not. */
function progressOf({ kind, status, done, refused, total }: Job): string {
  const text = messages().jobs;
  if (status === 'failed' || status === 'cancelled') {
    if (!takesFile(kind) || total === null) return text.unwritten(done);
    // Those that were refused stand beside.
    return text.partly(formatNumber(done - refused), formatNumber(total - done));
  }
  if (total !== null) return text.of(formatNumber(done), formatNumber(total));
  return status === 'running' ? text.soFar(formatNumber(done)) : text.rows(done);
}
