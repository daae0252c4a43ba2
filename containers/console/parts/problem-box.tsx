import { useEffect, useRef } from 'preact/hooks';
import { fieldOf, type Problem } from '../calls/problem.ts';
import { formatNumber } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Button } from './button.tsx';
import { faultWords } from './fault-words.ts';
import { ServerWords } from './field-error.tsx';
import { fieldLabels } from './field-labels.ts';

/** What a problem is called, in a sentence in the language in use. Of a conflict, what stands in the way. */
export function problemSentence({ kind, reason, title }: Problem): string {
  const { kinds, conflicts } = messages().problems;
  // A newer server may know others.
  return (reason === undefined ? undefined : conflicts[reason]) ?? kinds[kind] ?? title;
}

/** What a field takes, in the language in use; null where the console has no such field. */
function fieldWords(path: string): string | null {
  const fields: Record<string, string> = messages().problems.fields;
  return fields[fieldOf(path)] ?? null;
}

/** What is wrong with fields, from the top of the form to its end; what no form has comes last. */
function inOrder(errors: NonNullable<Problem['errors']>): NonNullable<Problem['errors']> {
  const names = Object.keys(fieldLabels());
  const placeOf = (path: string) => names.indexOf(fieldOf(path)) + 1 || names.length + 1;
  return [...errors].sort((one, other) => placeOf(one.path) - placeOf(other.path));
}

/** What a field is called beside it, which leads there; its name in the API where the console has no such field. */
function FieldTitle({ path }: { path: string }) {
  const labels: Record<string, string> = fieldLabels();
  const label = labels[fieldOf(path)];
  if (label === undefined) return <code lang="en">{fieldOf(path)}</code>;
  return (
    <button type="button" class="field-link" onClick={(event) => focusField(event.currentTarget.form, label)}>
      {label}
    </button>
  );
}

/** Puts the cursor into the field of a form that is wrong and is called so; into the first wrong one where none is. */
function focusField(form: HTMLFormElement | null, label: string): void {
  const labels = [...(form?.querySelectorAll<HTMLLabelElement>('.field-wrong > label') ?? [])];
  const isOf = ({ textContent }: HTMLLabelElement) => textContent === label || textContent?.startsWith(`${label} (`);
  const control = (labels.find(isOf) ?? labels[0])?.control;
  control?.focus();
}

/**
 * A problem where it happened: what it is in plain words, what the server says, and what to do. It takes the focus when
 * it appears, so that whoever does not see it hears it.
 * @param retry offered unless nothing is there, which is so the next time too
 */
export function ProblemBox({ problem, retry }: { problem: Problem | null; retry?: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (problem !== null) box.current?.focus({ preventScroll: false });
  }, [problem]);
  if (problem === null) return null;
  const text = messages();
  const { detail, requestId, retryAfterSeconds, errors } = problem;
  return (
    <div class="problem" role="alert" tabIndex={-1} ref={box}>
      <p class="problem-title">{problemSentence(problem)}</p>
      {detail !== '' && errors === undefined && (
        <p class="problem-detail" lang="en" dir="auto">
          {detail}
        </p>
      )}
      {errors !== undefined && errors.length > 0 && (
        <ul>
          {inOrder(errors).map(({ path, message }) => (
            <li key={path}>
              <FieldTitle path={path} />: {fieldWords(path) ?? (faultWords(message) || <ServerWords text={message} />)}
            </li>
          ))}
        </ul>
      )}
      {retryAfterSeconds !== null && <p>{text.problems.waitSeconds(formatNumber(retryAfterSeconds))}</p>}
      {requestId !== null && problem.status >= 500 && <p class="muted">{text.problems.requestId(requestId)}</p>}
      {retry !== undefined && problem.status !== 404 && <Button onClick={retry}>{text.common.tryAgain}</Button>}
    </div>
  );
}
