import { useRef, useState } from 'preact/hooks';
import { call } from '../calls/call.ts';
import { download } from '../calls/download.ts';
import type { Problem } from '../calls/problem.ts';
import type { Job } from '../calls/types.ts';
import { useSubmit } from '../calls/use-submit.ts';
import { formatBytes } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Button } from './button.tsx';
import { ExportJob } from './export-job.tsx';
import { notify } from './live.tsx';
import { ProblemBox } from './problem-box.tsx';
import { saveFile } from './save-file.ts';

/** A list of as many rows is some megabytes, which a page may hold; a longer one is a job's, whose file it never has. */
export const directMaxRows = 50_000;

/** Exports a list as CSV: a short one at once, a long one as a job. Either says how far it is, and can be stopped. */
export function ExportButton({
  label,
  path,
  fileName,
  job,
  isLong,
  rows = null,
}: {
  label: string;
  /** Of the API, which answers the list as CSV. */
  path: string;
  fileName: string;
  /** The same list as a job: its parameters. */
  job: Record<string, string>;
  isLong: boolean;
  /** About how many rows there are; null: nobody knows. */
  rows?: number | null;
}) {
  const text = messages().exports;
  const stop = useRef<AbortController | null>(null);
  const [bytes, setBytes] = useState<number | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [started, setStarted] = useState<Job | null>(null);
  const start = useSubmit<Job>((key) => call('POST', `/v1/jobs?${new URLSearchParams(job)}`, { key }), setStarted);
  const begin = async () => {
    const controller = new AbortController();
    stop.current = controller;
    setProblem(null);
    setBytes(0);
    const outcome = await download(path, setBytes, controller.signal);
    setBytes(null);
    if (outcome === 'stopped') return;
    if ('problem' in outcome) {
      setProblem(outcome.problem);
      return;
    }
    saveFile(outcome.content, fileName);
    notify(messages().exports.exported);
  };
  return (
    <div class="stack">
      <div class="actions">
        <Button onClick={() => void (isLong ? start.submit() : begin())} isBusy={bytes !== null || start.isBusy}>
          {label}
        </Button>
        {bytes !== null && (
          <>
            <Button onClick={() => stop.current?.abort()}>{text.stop}</Button>
            <p class="muted">{text.exporting(formatBytes(bytes))}</p>
          </>
        )}
      </div>
      {started !== null && <ExportJob key={started.id} started={started} rows={rows} />}
      <ProblemBox problem={problem ?? start.problem} />
    </div>
  );
}
