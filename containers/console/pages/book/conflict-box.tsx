import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { messages } from '../../messages/messages.ts';
import type { Change } from './describe-changes.ts';

/** What somebody else has changed while a form was open. It takes the focus, as whoever sees it must read it first. */
export function ConflictBox({ changes, children }: { changes: readonly Change[]; children: ComponentChildren }) {
  const text = messages().rules;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), [changes]);
  return (
    <div class="problem" role="alert" tabIndex={-1} ref={box}>
      <p class="problem-title">{text.conflictTitle}</p>
      {changes.length === 0 ? <p>{text.conflictNothing}</p> : <p>{text.conflictIntro}</p>}
      <ul>
        {changes.map(({ term, sentence }) => (
          <li key={term} dir="auto">
            {sentence}
          </li>
        ))}
      </ul>
      {children}
    </div>
  );
}
