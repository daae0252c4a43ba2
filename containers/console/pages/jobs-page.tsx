import { useState } from 'preact/hooks';
import { address, linkTo, part } from '../address/address.ts';
import { call } from '../calls/call.ts';
import type { Book, Job, Page as ListPage } from '../calls/types.ts';
import { useLiveList } from '../calls/use-live-list.ts';
import { useLoad } from '../calls/use-load.ts';
import { formatDuration, formatNumber, viewerZone } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { DownloadButton } from '../parts/download-button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { resultPath } from '../parts/export-job.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { notify } from '../parts/live.tsx';
import { Page } from '../parts/page.tsx';
import { rowNames } from '../parts/row-names.ts';
import { ShortMoment } from '../parts/time.tsx';
import { NewJob } from './jobs/new-job.tsx';

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
  const books = useLoad<ListPage<Book>>('/v1/books?limit=200');
  const [chosen, setChosen] = useState<Job | null>(null);
  const zone = viewerZone();
  const names = new Map(books.data?.data.map(({ id, name }) => [id, name]));
  const called = rowNames(
    jobs.items ?? [],
    ({ id }) => id,
    ({ kind, bookId }) => {
      const book = bookId === null ? undefined : names.get(bookId);
      return book === undefined ? text.kinds[kind] : `${text.kinds[kind]}, ${book}`;
    },
  );
  const nameOf = ({ id, kind }: Job) => called.get(id) ?? text.kinds[kind];
  const { query } = address.value;
  // Whoever comes from a book wants to start one; else what is under way is looked at.
  const isToStart = query.has('kind');
  const newJob = <NewJob key={query.get('kind')} onStarted={() => void jobs.reload()} />;
  return (
    <Page title={text.title} intro={<p>{text.intro}</p>}>
      {isToStart && newJob}
      <ListTable
        caption={text.title}
        list={jobs}
        keyOf={({ id }) => id}
        zone={zone}
        isPresent={({ id }) => id === query.get('job')}
        empty={
          <EmptyState title={text.empty}>
            <p>{text.emptyHint}</p>
          </EmptyState>
        }
        columns={[
          { title: text.kind, isHead: true, cell: ({ kind }) => text.kinds[kind] },
          {
            title: text.book,
            cell: ({ bookId }) =>
              bookId !== null && (
                <a href={linkTo(`/books/${part(bookId)}`)} dir="auto">
                  {names.get(bookId) ?? text.theBook}
                </a>
              ),
          },
          { title: text.status, cell: (job) => <JobStatus job={job} /> },
          { title: text.progress, cell: (job) => <JobProgress job={job} name={nameOf(job)} /> },
          { title: text.refused, isNumber: true, cell: ({ refused }) => formatNumber(refused) },
          {
            title: text.startedAt,
            cell: ({ startedAt }) => startedAt !== null && <ShortMoment at={startedAt} zone={zone} />,
          },
          {
            title: text.took,
            isNumber: true,
            cell: ({ startedAt, finishedAt }) =>
              startedAt !== null &&
              finishedAt !== null &&
              formatDuration(Date.parse(finishedAt) - Date.parse(startedAt)),
          },
          {
            title: text.actions,
            cell: (job) =>
              isUnderWay(job) ? (
                <Button aria-label={text.cancelOf(nameOf(job))} onClick={() => setChosen(job)}>
                  {text.cancel}
                </Button>
              ) : (
                hasResult(job) && (
                  <DownloadButton label={text.result} name={text.resultOf(nameOf(job))} path={resultPath(job.id)} />
                )
              ),
          },
        ]}
      />
      {!isToStart && newJob}
      {chosen !== null && (
        <Confirm<Job>
          title={text.cancelTitle}
          action={text.cancelNow}
          kind="danger"
          send={(key) => call('POST', `/v1/jobs/${chosen.id}/cancel`, { key })}
          onDone={() => {
            setChosen(null);
            notify(messages().jobs.cancelled);
            void jobs.reload();
          }}
          onClose={() => {
            setChosen(null);
            // What was refused may have ended meanwhile.
            void jobs.reload();
          }}
        >
          <p dir="auto">{text.cancelText(nameOf(chosen), formatNumber(chosen.done))}</p>
        </Confirm>
      )}
    </Page>
  );
}

/** A list that was not written to its end is none. */
function hasResult({ kind, status }: Job): boolean {
  return status === 'done' || kind === 'assign' || kind === 'void';
}

function JobStatus({ job: { status, error } }: { job: Job }) {
  return (
    <>
      <Badge tone={tones[status]}>{messages().jobs.statuses[status]}</Badge>
      {error !== null && (
        <div class="muted cell-note" lang="en">
          {error}
        </div>
      )}
    </>
  );
}

function JobProgress({ job: { status, done, total }, name }: { job: Job; name: string }) {
  const text = messages().jobs;
  const words =
    total !== null
      ? text.of(formatNumber(done), formatNumber(total))
      : status === 'running'
        ? text.soFar(formatNumber(done))
        : text.rows(done);
  return (
    <div class="progress-cell">
      {status === 'running' && total !== null && <progress aria-label={name} value={done} max={Math.max(total, 1)} />}
      <span>{words}</span>
    </div>
  );
}
