import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { part } from '../../address/address.ts';
import { call } from '../../calls/call.ts';
import { fieldError } from '../../calls/problem.ts';
import type { CodeLookUp, CouponEvent } from '../../calls/types.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { formatMoment, formatNumber } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm, FormDialog } from '../../parts/dialog.tsx';
import { SelectField, TextField } from '../../parts/field.tsx';
import { notify } from '../../parts/live.tsx';

type Open = 'assign' | 'unlock' | 'transfer' | 'void' | 'giveBack' | null;

/** What an operator may do with a code, by its state. */
export function CodeActions({
  found,
  events,
  zone,
  onChanged,
}: {
  found: CodeLookUp;
  events: readonly CouponEvent[];
  /** On whose clocks moments are told. */
  zone: string;
  onChanged: () => void;
}) {
  const text = messages().code;
  const [open, setOpen] = useState<Open>(null);
  const { code, status, coupon } = found;
  const uses = usesOf(events, zone);
  const close = () => setOpen(null);
  const done = (words: string) => {
    close();
    notify(words);
    onChanged();
  };
  return (
    <>
      {status === 'available' && (
        <Button kind="primary" onClick={() => setOpen('assign')}>
          {text.assign}
        </Button>
      )}
      {status === 'locked' && <Button onClick={() => setOpen('unlock')}>{text.unlock}</Button>}
      {coupon !== null && status !== 'voided' && <Button onClick={() => setOpen('transfer')}>{text.transfer}</Button>}
      {uses.length > 0 && status !== 'voided' && <Button onClick={() => setOpen('giveBack')}>{text.giveBack}</Button>}
      {status !== 'voided' && (
        <Button kind="caution" onClick={() => setOpen('void')}>
          {text.void}
        </Button>
      )}
      {open === 'unlock' && (
        <WithReason
          title={text.unlockTitle}
          about={<p>{text.unlockText}</p>}
          action={text.unlock}
          path={`/v1/coupons/${part(code)}/unlock`}
          more={{ force: true }}
          onDone={() => done(messages().code.unlocked)}
          onClose={close}
        />
      )}
      {open === 'assign' && (
        <ToUser
          title={text.assignTitle}
          about={text.assignText}
          label={text.assignUser}
          action={text.assign}
          path={`/v1/coupons/${part(code)}/assign`}
          withReason={false}
          onDone={(user) => done(messages().code.assigned(user))}
          onClose={close}
        />
      )}
      {open === 'transfer' && (
        <ToUser
          title={text.transferTitle}
          about={text.transferText}
          label={text.toUser}
          action={text.transfer}
          path={`/v1/coupons/${part(code)}/transfer`}
          withReason={true}
          onDone={(user) => done(messages().code.transferred(user))}
          onClose={close}
        />
      )}
      {open === 'giveBack' && <GiveBack uses={uses} onDone={() => done(messages().code.gaveBack)} onClose={close} />}
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

/** A redemption as a choice shows it. */
interface Use {
  id: string;
  name: string;
}

/** The redemptions that were not given back, the latest first. */
function usesOf(events: readonly CouponEvent[], zone: string): Use[] {
  const text = messages().code;
  const back = new Set(events.filter(({ kind }) => kind === 'reversed').map(({ data }) => data['redemptionId']));
  return events
    .filter(({ kind, data }) => kind === 'redeemed' && !back.has(data['redemptionId'] ?? null))
    .map(({ data, at }) => {
      const reference = data['reference'] ?? text.bareUse(formatNumber(Number(data['seq'] ?? 0)));
      return { id: String(data['redemptionId']), name: text.useAt(String(reference), formatMoment(at, zone)) };
    })
    .reverse();
}

/** Gives back one of the uses, the latest unless another is chosen. */
function GiveBack({ uses, onDone, onClose }: { uses: readonly Use[]; onDone: () => void; onClose: () => void }) {
  const text = messages().code;
  const [chosen, setChosen] = useState(uses[0]!.id);
  return (
    <WithReason
      title={text.giveBackTitle}
      about={
        <>
          <p>{text.giveBackText}</p>
          <SelectField
            label={text.whichUse}
            value={chosen}
            onValue={setChosen}
            options={uses.map(({ id, name }) => [id, name] as const)}
          />
        </>
      }
      action={text.giveBack}
      path={`/v1/redemptions/${chosen}/reverse`}
      onDone={onDone}
      onClose={onClose}
    />
  );
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
      {about}
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

/** Asks for the user who gets the code, and sends it there. */
function ToUser({
  title,
  about,
  label,
  action,
  path,
  withReason,
  onDone,
  onClose,
}: {
  title: string;
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
      const given = withReason && reason.trim() !== '' ? { reason: reason.trim() } : {};
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
      <p>{about}</p>
      <TextField
        label={label}
        autocomplete="off"
        spellcheck={false}
        value={userId}
        onValue={setUserId}
        error={fieldError(problem, '/userId')}
      />
      {withReason && (
        <TextField
          {...text.reason}
          isOptional
          value={reason}
          onValue={setReason}
          error={fieldError(problem, '/reason')}
        />
      )}
    </FormDialog>
  );
}
