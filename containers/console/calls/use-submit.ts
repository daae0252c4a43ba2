import { useRef, useState } from 'preact/hooks';
import { type Answer, newKey } from './call.ts';
import type { Problem } from './problem.ts';

/** What a form or a dialog does when it is sent off. */
export interface Submission<T> {
  isBusy: boolean;
  /** Why the last attempt did not succeed. What was typed stays. */
  problem: Problem | null;
  /** Sends it off. While one attempt is under way another click does nothing. */
  submit(): Promise<void>;
  /** Takes a problem away that the person has seen, or mended. */
  clear(): void;
  lastAnswer: T | null;
}

/**
 * Sends a form off under a key that is made when the form opens and stays through every repeat, so that whatever a
 * connection, a server or an impatient finger does, it is done once. After a success the next one has a new key.
 */
export function useSubmit<T>(
  send: (key: string) => Promise<Answer<T>>,
  onSuccess: (body: T, etag: string | null) => void | Promise<void>,
): Submission<T> {
  const key = useRef('');
  if (key.current === '') key.current = newKey();
  const isUnderWay = useRef(false);
  const [state, setState] = useState<{ isBusy: boolean; problem: Problem | null; lastAnswer: T | null }>({
    isBusy: false,
    problem: null,
    lastAnswer: null,
  });

  const submit = async () => {
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    setState((before) => ({ ...before, isBusy: true, problem: null }));
    const answer = await send(key.current);
    isUnderWay.current = false;
    setState((before) => ({
      isBusy: false,
      problem: answer.ok ? null : answer.problem,
      lastAnswer: answer.ok ? answer.body : before.lastAnswer,
    }));
    if (!answer.ok) return;
    key.current = newKey();
    await onSuccess(answer.body, answer.etag);
  };
  const clear = () => setState((before) => ({ ...before, problem: null }));
  return { ...state, submit, clear };
}
