import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../../calls/call.ts';
import { fieldError } from '../../calls/problem.ts';
import { reasonOf } from '../../calls/typed-reason.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { messages } from '../../messages/messages.ts';
import { FormDialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/field.tsx';

/** A question with a reason that may be given. */
export function WithReason({
  title,
  code,
  about,
  action,
  path,
  more = {},
  onDone,
  onClose,
}: {
  title: string;
  /** The code that it is about, which the question may cover on the page. */
  code: string;
  about: ComponentChildren;
  action: string;
  path: string;
  more?: object;
  onDone: () => void;
  onClose: () => void;
}) {
  const text = messages();
  const [reason, setReason] = useState('');
  const { submit, isBusy, problem } = useSubmit(
    (key) => call('POST', path, { body: { ...more, ...reasonOf(reason) }, key }),
    onDone,
  );
  return (
    <FormDialog
      title={title}
      action={action}
      isBusy={isBusy}
      problem={problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <NamedCode code={code} />
      {about}
      <TextField
        {...text.code.reason}
        isOptional
        value={reason}
        onValue={setReason}
        error={fieldError(problem, 'reason')}
      />
    </FormDialog>
  );
}

/** Which code a question is about: it stands before the page's heading. */
export function NamedCode({ code }: { code: string }) {
  return (
    <p>
      <strong class="code">{code}</strong>
    </p>
  );
}

/** Asks for the user who gets the code, and sends it there. */
export function ToUser({
  title,
  code,
  about,
  label,
  action,
  path,
  withReason,
  onDone,
  onClose,
}: {
  title: string;
  code: string;
  about: string;
  label: string;
  action: string;
  path: string;
  /** Whether a reason may be given, which the code's story keeps. */
  withReason: boolean;
  onDone: (userId: string) => void;
  onClose: () => void;
}) {
  const text = messages().code;
  const [userId, setUserId] = useState('');
  const [reason, setReason] = useState('');
  const { submit, isBusy, problem } = useSubmit(
    (key) => {
      const given = withReason ? reasonOf(reason) : {};
      return call('POST', path, { body: { userId: userId.trim(), ...given }, key });
    },
    () => onDone(userId.trim()),
  );
  return (
    <FormDialog
      title={title}
      action={action}
      isBusy={isBusy}
      problem={problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <NamedCode code={code} />
      <p>{about}</p>
      <TextField
        label={label}
        autocomplete="off"
        spellcheck={false}
        value={userId}
        onValue={setUserId}
        error={fieldError(problem, 'userId')}
      />
      {withReason && (
        <TextField
          {...text.reason}
          isOptional
          value={reason}
          onValue={setReason}
          error={fieldError(problem, 'reason')}
        />
      )}
    </FormDialog>
  );
}
