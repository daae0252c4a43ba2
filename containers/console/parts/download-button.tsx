import { useState } from 'preact/hooks';
import type { Problem } from '../calls/problem.ts';
import { saveFrom } from '../calls/save-from.ts';
import { messages } from '../messages/messages.ts';
import { Button } from './button.tsx';
import { notify } from './live.tsx';
import { ProblemBox } from './problem-box.tsx';

/** Has the browser download a file of the server's, of any size. */
export function DownloadButton({
  label,
  name,
  path,
}: {
  label: string;
  /** What it is called where several have the label; begins with it. */
  name?: string;
  path: string;
}) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const begin = async () => {
    const found = await saveFrom(path);
    setProblem(found);
    if (found === null) notify(messages().exports.begun);
  };
  return (
    <>
      <Button aria-label={name} onClick={() => void begin()}>
        {label}
      </Button>
      <ProblemBox problem={problem} />
    </>
  );
}
