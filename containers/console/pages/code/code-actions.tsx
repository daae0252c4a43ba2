import { useState } from 'preact/hooks';
import { part } from '../../address/address.ts';
import { call } from '../../calls/call.ts';
import { fieldError } from '../../calls/problem.ts';
import type { CodeLookUp, CouponEvent } from '../../calls/types.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { messages } from '../../messages/messages.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm, FormDialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/field.tsx';
import { notify } from '../../parts/live.tsx';

type Open = 'unlock' | 'transfer' | 'void' | 'giveBack' | null;

/** What an operator may do with a code, by its state. */
export function CodeActions({
  found,
  events,
  onChanged,
}: {
  found: CodeLookUp;
  events: readonly CouponEvent[];
  onChanged: () => void;
}) {
  const text = messages().code;
  const [open, setOpen] = useState<Open>(null);
  const { code, status, coupon } = found;
  const redemption = lastUse(events);
  const close = () => setOpen(null);
  const done = (words: string) => {
    close();
    notify(words);
    onChanged();
  };
  return (
    <>
      {status === 'locked' && <Button onClick={() => setOpen('unlock')}>{text.unlock}</Button>}
      {coupon !== null && status !== 'voided' && <Button onClick={() => setOpen('transfer')}>{text.transfer}</Button>}
      {redemption !== null && status !== 'voided' && (
        <Button onClick={() => setOpen('giveBack')}>{text.giveBack}</Button>
      )}
      {status !== 'voided' && (
        <Button kind="danger" onClick={() => setOpen('void')}>
          {text.void}
        </Button>
      )}
      {open === 'unlock' && (
        <WithReason
          title={text.unlockTitle}
          about={text.unlockText}
          action={text.unlock}
          path={`/v1/coupons/${part(code)}/unlock`}
          more={{ force: true }}
          onDone={() => done(messages().code.unlocked)}
          onClose={close}
        />
      )}
      {open === 'transfer' && (
        <Transfer code={code} onDone={(user) => done(messages().code.transferred(user))} onClose={close} />
      )}
      {open === 'giveBack' && redemption !== null && (
        <WithReason
          title={text.giveBackTitle}
          about={text.giveBackText(redemption.reference)}
          action={text.giveBack}
          path={`/v1/redemptions/${redemption.id}/reverse`}
          onDone={() => done(messages().code.gaveBack)}
          onClose={close}
        />
      )}
      {open === 'void' && (
        <Confirm
          title={text.voidTitle}
          action={text.void}
          kind="danger"
          typed={code}
          send={(key) => call('POST', `/v1/coupons/${part(code)}/void`, { body: {}, key })}
          onDone={() => done(messages().code.voidedNow)}
          onClose={close}
        >
          <p>{text.voidText}</p>
        </Confirm>
      )}
    </>
  );
}

/** The latest redemption that was not given back. */
function lastUse(events: readonly CouponEvent[]): { id: string; reference: string } | null {
  const back = new Set(events.filter(({ kind }) => kind === 'reversed').map(({ data }) => data['redemptionId']));
  const last = events.findLast(({ kind, data }) => kind === 'redeemed' && !back.has(data['redemptionId'] ?? null));
  if (last === undefined) return null;
  const id = String(last.data['redemptionId']);
  return { id, reference: String(last.data['reference'] ?? id) };
}

/** A question with a reason that may be given. */
function WithReason({
  title,
  about,
  action,
  path,
  more = {},
  onDone,
  onClose,
}: {
  title: string;
  about: string;
  action: string;
  path: string;
  more?: object;
  onDone: () => void;
  onClose: () => void;
}) {
  const text = messages();
  const [reason, setReason] = useState('');
  const { submit, isBusy, problem } = useSubmit(
    (key) => call('POST', path, { body: { ...more, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) }, key }),
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
      <p>{about}</p>
      <TextField
        {...text.code.reason}
        isOptional
        value={reason}
        onValue={setReason}
        error={fieldError(problem, '/reason')}
      />
    </FormDialog>
  );
}

function Transfer({ code, onDone, onClose }: { code: string; onDone: (userId: string) => void; onClose: () => void }) {
  const text = messages();
  const [userId, setUserId] = useState('');
  const [reason, setReason] = useState('');
  const { submit, isBusy, problem } = useSubmit(
    (key) =>
      call('POST', `/v1/coupons/${part(code)}/transfer`, {
        body: { userId: userId.trim(), ...(reason.trim() === '' ? {} : { reason: reason.trim() }) },
        key,
      }),
    () => onDone(userId.trim()),
  );
  return (
    <FormDialog
      title={text.code.transferTitle}
      action={text.code.transfer}
      isBusy={isBusy}
      problem={problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>{text.code.transferText}</p>
      <TextField
        label={text.code.toUser}
        autocomplete="off"
        spellcheck={false}
        value={userId}
        onValue={setUserId}
        error={fieldError(problem, '/userId')}
      />
      <TextField
        {...text.code.reason}
        isOptional
        value={reason}
        onValue={setReason}
        error={fieldError(problem, '/reason')}
      />
    </FormDialog>
  );
}
