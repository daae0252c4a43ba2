import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Answer } from '../calls/call.ts';
import type { Problem } from '../calls/problem.ts';
import { useSubmit } from '../calls/use-submit.ts';
import { isSameText } from '../language/same-text.ts';
import { messages } from '../messages/messages.ts';
import { Button } from './button.tsx';
import { TextField } from './field.tsx';
import { ProblemBox } from './problem-box.tsx';

/**
 * A modal dialog of the browser's own: it keeps the focus, Escape closes it, and the focus goes back to where it was.
 * @param onClose called for each way out; left out, there is none by Escape
 */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose?: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element === null || element.open) return;
    const before = document.activeElement;
    element.showModal();
    // Where nothing is to be filled in, the way out has the focus: Enter does nothing that nobody has read.
    if (document.activeElement?.matches('[type="submit"]'))
      element.querySelector<HTMLElement>('[type="submit"] + button')?.focus();
    return () => {
      element.close();
      // What was done may take the button away that asked for it: then the page's heading is where one is.
      setTimeout(() => {
        if (document.querySelector('dialog[open]') !== null) return;
        const isThere = before instanceof HTMLElement && before.isConnected;
        (isThere ? before : document.querySelector<HTMLElement>('main h1'))?.focus();
      });
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClose={() => {
        // A browser lets nobody be held: a second Escape closes it all the same. What must be answered is asked again.
        if (onClose !== undefined) onClose();
        else if (dialog.current?.isConnected) dialog.current.showModal();
      }}
    >
      <h2 id={id} dir="auto">
        {title}
      </h2>
      {children}
    </dialog>
  );
}

/** What a question is about, by its name: the dialog stands before the page's heading. */
export function About({ children }: { children: string }) {
  return (
    <p>
      <strong dir="auto">{children}</strong>
    </p>
  );
}

/**
 * A dialog with a form: fields, the problem where sending it off does not work, a way out, and the button that does it.
 * @param onSubmit called by the button and by Enter
 */
export function FormDialog({
  title,
  action,
  kind = 'primary',
  isBusy,
  problem,
  onSubmit,
  onClose,
  children,
}: {
  title: string;
  action: string;
  kind?: 'primary' | 'danger';
  isBusy: boolean;
  problem: Problem | null;
  onSubmit: () => void;
  onClose: () => void;
  children: ComponentChildren;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        {children}
        <ProblemBox problem={problem} />
        <div class="dialog-actions">
          <Button kind={kind} type="submit" isBusy={isBusy}>
            {action}
          </Button>
          <Button onClick={onClose}>{messages().common.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What is asked before something is done. */
export interface ConfirmProps<T> {
  title: string;
  /** What will happen, with numbers. */
  children: ComponentChildren;
  /** The button that does it. */
  action: string;
  kind?: 'primary' | 'danger';
  /** A text that must be typed first, for what cannot be undone. */
  typed?: string;
  /** Stands in the place of the problem where somebody else's change is what it is. */
  conflict?: ComponentChildren;
  send: (key: string) => Promise<Answer<T>>;
  onDone: (body: T) => void | Promise<void>;
  onClose: () => void;
}

/**
 * A question before something is done, with the problem inside where it does not work. One key for all its attempts.
 */
export function Confirm<T>({
  title,
  children,
  action,
  kind = 'primary',
  typed,
  conflict = null,
  send,
  onDone,
  onClose,
}: ConfirmProps<T>) {
  const [text, setText] = useState('');
  const [isOtherwise, setOtherwise] = useState(false);
  const words = messages().common;
  const { submit, isBusy, problem } = useSubmit(send, onDone);
  const isTyped = typed === undefined || isSameText(text, typed);
  return (
    <FormDialog
      title={title}
      action={action}
      kind={kind}
      isBusy={isBusy}
      problem={conflict ? null : problem}
      onSubmit={() => {
        setOtherwise(!isTyped);
        if (isTyped) void submit();
      }}
      onClose={onClose}
    >
      <div class="dialog-text">{children}</div>
      {typed !== undefined && (
        <TextField
          label={words.typeToConfirm(typed)}
          value={text}
          onValue={setText}
          autocomplete="off"
          spellcheck={false}
          error={isOtherwise && !isTyped ? words.typedOtherwise : null}
        />
      )}
      {conflict}
    </FormDialog>
  );
}
