import { useMemo, useRef, useState } from 'preact/hooks';
import { type Answer, call } from '../../calls/call.ts';
import { changeBook } from '../../calls/change-book.ts';
import { type Problem, withFaults } from '../../calls/problem.ts';
import type { Book } from '../../calls/types.ts';
import type { Loaded } from '../../calls/use-load.ts';
import { fromLocalInput } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { notify } from '../../parts/live.tsx';
import { type BookDraft, changedTerms, draftOf, termsOf } from './book-draft.ts';
import { faultyFields } from './book-faults.ts';
import { type Change, describeChanges, type Terms } from './describe-changes.ts';

/** The form of a book's rules: what is typed, what it would change, and how far its sending is. */
export interface RulesForm {
  /** The book as the form began with it. Another revision comes in only when somebody takes it in. */
  base: Book;
  draft: BookDraft;
  setDraft(draft: BookDraft): void;
  /** Whether the form was sent off and says nothing new. */
  isUnchanged: boolean;
  /** What sending it would change; null where it isn't asked about. */
  preview: Change[] | null;
  /** What is wrong with it, or why the server refused it; null where what somebody else changed is the reason. */
  problem: Problem | null;
  /** What somebody else changed since the form was opened; null while nobody has. */
  conflict: Change[] | null;
  /** Asks about the changes, if there are any. */
  ask(): void;
  /** Gives the question up. */
  close(): void;
  send(): Promise<Answer<Book>>;
  /** Goes on with a book that was changed by this form. */
  takeIn(changed: Book): void;
  /** Puts what was typed on top of what somebody else changed. */
  goOn(): void;
}

/** Keeps the form of a book's rules. Nothing that was typed is lost by a refusal, or by what somebody else changes. */
export function useRulesForm(book: Loaded<Book>): RulesForm {
  const [base, setBase] = useState(book.data!);
  const [draft, setDraft] = useState(() => draftOf(base));
  const [isPreviewed, setPreviewed] = useState(false);
  const [isUnchanged, setUnchanged] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [latest, setLatest] = useState<Book | null>(null);
  const now = useRef(Date.now());
  const changes = changedTerms(draftOf(base), draft);
  const isChanged = Object.keys(changes).length > 0;
  const conflict = useMemo(() => (latest === null ? null : describeChanges(base, latest, now.current)), [base, latest]);

  const ask = () => {
    now.current = Date.now();
    const found = isChanged ? withFaults(null, faultyFields(draft, now.current)) : null;
    setUnchanged(!isChanged);
    setProblem(found);
    setPreviewed(isChanged && found === null);
  };
  const send = async () => {
    const answer = await changeBook(base, changes);
    if (answer.ok) return answer;
    if (answer.status === 412) {
      const present = await call<Book>('GET', `/v1/books/${base.id}`);
      if (present.ok) setLatest(present.body);
    }
    setProblem(answer.problem);
    // What is wrong stands beside the fields, or above them: the question is over.
    setPreviewed(false);
    return answer;
  };
  const takeIn = (changed: Book) => {
    setBase(changed);
    setDraft(draftOf(changed));
    setPreviewed(false);
    setProblem(null);
    book.replace(changed);
    notify(messages().rules.changed);
  };
  const goOn = () => {
    if (latest === null) return;
    setDraft({ ...draftOf(latest), ...changedFields(draftOf(base), draft) });
    setBase(latest);
    book.replace(latest);
    setLatest(null);
    setProblem(null);
  };

  return {
    base,
    draft,
    setDraft,
    isUnchanged: isUnchanged && !isChanged,
    // With the counts of this moment: what is out decides what a change means.
    preview: isPreviewed
      ? describeChanges({ ...base, counts: book.data!.counts }, termsAfter(base, draft), now.current)
      : null,
    problem: latest === null ? problem : null,
    conflict,
    ask,
    close: () => setPreviewed(false),
    send,
    takeIn,
    goOn,
  };
}

/** The fields of a form that somebody has changed. */
function changedFields(before: BookDraft, after: BookDraft): Partial<BookDraft> {
  return Object.fromEntries(
    Object.entries(after).filter(([field, value]) => before[field as keyof BookDraft] !== value),
  );
}

/** What a book would be with what a form says. What can't be read yet, the server will name. */
function termsAfter(base: Book, draft: BookDraft): Terms {
  const changes = changedTerms(draftOf(base), draft);
  const given = termsOf(draft);
  const times = Object.fromEntries(
    (['startsAt', 'endsAt'] as const)
      .filter((term) => term in changes)
      .map((term) => [term, given[term] === null ? null : fromLocalInput(draft[term], draft.timeZone)]),
  );
  return { ...base, ...changes, ...times } as Terms;
}
