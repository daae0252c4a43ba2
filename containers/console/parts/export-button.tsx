import { useRef, useState } from 'preact/hooks';
import { download } from '../calls/download.ts';
import type { Problem } from '../calls/problem.ts';
import { formatBytes } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Button } from './button.tsx';
import { notify } from './live.tsx';
import { ProblemBox } from './problem-box.tsx';
import { saveFile } from './save-file.ts';

/**
 * Downloads an export: how far it is stands beside, and it can be stopped.
 * @param path of the API, which answers CSV
 */
export function ExportButton({
  label,
  name,
  path,
  fileName,
}: {
  label: string;
  /** What it is called where several have the label; begins with it. */
  name?: string;
  path: string;
  fileName: string;
}) {
  const text = messages().rules;
  const stop = useRef<AbortController | null>(null);
  const [bytes, setBytes] = useState<number | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
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
    notify(messages().rules.exported);
  };
  return (
    <div class="stack">
      <div class="actions">
        <Button aria-label={name} onClick={() => void begin()} isBusy={bytes !== null}>
          {label}
        </Button>
        {bytes !== null && (
          <>
            <Button onClick={() => stop.current?.abort()}>{text.stopExport}</Button>
            <p class="muted">{text.exporting(formatBytes(bytes))}</p>
          </>
        )}
      </div>
      <ProblemBox problem={problem} />
    </div>
  );
}
