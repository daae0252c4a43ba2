import { useEffect, useState } from 'preact/hooks';
import { linkTo } from '../address/address.ts';
import { call } from '../calls/call.ts';
import type { Problem } from '../calls/problem.ts';
import { saveFrom } from '../calls/save-from.ts';
import type { Job } from '../calls/types.ts';
import { usePoll } from '../calls/use-poll.ts';
import { useSubmit } from '../calls/use-submit.ts';
import { formatNumber } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Button } from './button.tsx';
import { DownloadButton } from './download-button.tsx';
import { announce } from './live.tsx';
import { ProblemBox } from './problem-box.tsx';

/** A second is what the API asks for. */
const everyMillis = 1_000;

const isOver = ({ status }: Job) => status !== 'queued' && status !== 'running';

/** The file of a job that has ended. */
export function resultPath(jobId: string): string {
  return `/v1/jobs/${jobId}/result?bom=true&local=true`;
}

/**
 * A long export that the server writes beside everything else: how far it is, a way to cancel it, and its file, which
 * the browser saves as soon as it is there.
 * @param rows about how many there will be; null: nobody knows
 */
export function ExportJob({ started, rows }: { started: Job; rows: number | null }) {
  const text = messages().exports;
  const [ended, setEnded] = useState<Job | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const polled = usePoll<Job>(ended === null ? `/v1/jobs/${started.id}` : null, everyMillis);
  const job = ended ?? polled ?? started;
  const cancel = useSubmit<Job>((key) => call('POST', `/v1/jobs/${started.id}/cancel`, { key }), setEnded);
  useEffect(() => {
    if (polled === null || !isOver(polled)) return;
    setEnded(polled);
    if (polled.status !== 'done') return;
    announce(messages().exports.written(polled.done));
    void saveFrom(resultPath(polled.id)).then(setProblem);
  }, [polled]);
  if (job.status === 'failed' || job.status === 'cancelled') {
    return <p role="status">{job.status === 'failed' ? text.failed : text.cancelled}</p>;
  }
  if (job.status === 'done') {
    return (
      <div class="stack">
        <div class="actions">
          <p>{text.written(job.done)}</p>
          <DownloadButton label={text.again} path={resultPath(job.id)} />
        </div>
        <ProblemBox problem={problem} />
      </div>
    );
  }
  const words = job.status === 'queued' ? text.waits : text.soFar(formatNumber(job.done), rows && formatNumber(rows));
  return (
    <div class="progress">
      <progress
        aria-label={text.writing}
        {...(rows === null || rows === 0 ? {} : { value: Math.min(job.done, rows), max: rows })}
      />
      <p>{words}</p>
      <p class="muted">
        {text.leave} <a href={linkTo('/jobs', { job: job.id })}>{messages().jobs.title}</a>
      </p>
      <div class="actions">
        <Button onClick={() => void cancel.submit()} isBusy={cancel.isBusy}>
          {text.cancel}
        </Button>
      </div>
      <ProblemBox problem={cancel.problem} />
    </div>
  );
}
