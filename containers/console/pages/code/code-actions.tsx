import { useState } from 'preact/hooks';
import { part } from '../../address/address.ts';
import { call } from '../../calls/call.ts';
import { reasonOf } from '../../calls/typed-reason.ts';
import type { CodeLookUp, CouponEvent } from '../../calls/types.ts';
import { formatMoment, formatNumber } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { Button, type ButtonKind } from '../../parts/button.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { SelectField, TextField } from '../../parts/field.tsx';
import { notify } from '../../parts/live.tsx';
import type { Standing } from '../../parts/standing.tsx';
import { NamedCode, ToUser, WithReason } from './code-questions.tsx';

type Act = 'assign' | 'unlock' | 'transfer' | 'void' | 'giveBack';

/** What an operator may do with a code, by its state. */
export function CodeActions({
  found,
  standing,
  events,
  zone,
  onChanged,
}: {
  found: CodeLookUp;
  standing: Standing;
  events: readonly CouponEvent[];
  /** On whose clocks moments are told. */
  zone: string;
  onChanged: () => void;
}) {
  const text = messages().code;
  const [act, setAct] = useState<Act | null>(null);
  const uses = usesOf(events, zone);
  const close = () => setAct(null);
  return (
    <>
      {actsOf(found, standing, uses).map((name) => (
        <Button key={name} kind={kindOf(name)} onClick={() => setAct(name)}>
          {messages().common.asking(text[name])}
        </Button>
      ))}
      {act !== null && (
        <Question
          act={act}
          code={found.code}
          uses={uses}
          onDone={(words) => {
            close();
            notify(words);
            onChanged();
          }}
          onClose={close}
        />
      )}
    </>
  );
}

/** What a code may be worth so that it goes into other hands: the server refuses that of all others. */
const givable: ReadonlySet<Standing> = new Set<Standing>(['available', 'assigned', 'notYet', 'orphaned']);

/** What may be done with a code as it is, the likeliest first. */
function actsOf({ status, coupon }: CodeLookUp, standing: Standing, uses: readonly Use[]): Act[] {
  if (status === 'voided') return [];
  const acts: Act[] = [];
  const mayGo = givable.has(standing);
  if (status === 'available' && mayGo) acts.push('assign');
  if (status === 'locked') acts.push('unlock');
  if (status === 'assigned' && coupon !== null && mayGo) acts.push('transfer');
  if (uses.length > 0) acts.push('giveBack');
  return [...acts, 'void'];
}

function kindOf(act: Act): ButtonKind {
  if (act === 'assign') return 'primary';
  return act === 'void' ? 'caution' : 'plain';
}

interface QuestionProps {
  code: string;
  uses: readonly Use[];
  /** @param words what was done */
  onDone: (words: string) => void;
  onClose: () => void;
}

/** What is asked before something is done with a code. */
function Question({ act, code, uses, onDone, onClose }: QuestionProps & { act: Act }) {
  const text = messages().code;
  const path = `/v1/coupons/${part(code)}`;
  switch (act) {
    case 'assign':
      return (
        <ToUser
          title={text.assignTitle}
          code={code}
          about={text.assignText}
          label={text.assignUser}
          action={text.assign}
          path={`${path}/assign`}
          withReason={false}
          onDone={(user) => onDone(messages().code.assigned(user))}
          onClose={onClose}
        />
      );
    case 'transfer':
      return (
        <ToUser
          title={text.transferTitle}
          code={code}
          about={text.transferText}
          label={text.toUser}
          action={text.transfer}
          path={`${path}/transfer`}
          withReason={true}
          onDone={(user) => onDone(messages().code.transferred(user))}
          onClose={onClose}
        />
      );
    case 'unlock':
      return (
        <WithReason
          title={text.unlockTitle}
          code={code}
          about={<p>{text.unlockText}</p>}
          action={text.unlock}
          path={`${path}/unlock`}
          more={{ force: true }}
          onDone={() => onDone(messages().code.unlocked)}
          onClose={onClose}
        />
      );
    case 'giveBack':
      return <GiveBack code={code} uses={uses} onDone={() => onDone(messages().code.gaveBack)} onClose={onClose} />;
    case 'void':
      return <VoidCode code={code} onDone={() => onDone(messages().code.voidedNow)} onClose={onClose} />;
  }
}

function VoidCode({ code, onDone, onClose }: { code: string; onDone: () => void; onClose: () => void }) {
  const text = messages().code;
  const [reason, setReason] = useState('');
  return (
    <Confirm
      title={text.voidTitle}
      action={text.void}
      kind="danger"
      typed={code}
      send={(key) => call('POST', `/v1/coupons/${part(code)}/void`, { body: reasonOf(reason), key })}
      onDone={onDone}
      onClose={onClose}
    >
      <NamedCode code={code} />
      <p>{text.voidText}</p>
      <TextField {...text.reason} isOptional value={reason} onValue={setReason} />
    </Confirm>
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
function GiveBack({
  code,
  uses,
  onDone,
  onClose,
}: Pick<QuestionProps, 'code' | 'uses' | 'onClose'> & { onDone: () => void }) {
  const text = messages().code;
  const [chosen, setChosen] = useState(uses[0]!.id);
  return (
    <WithReason
      title={text.giveBackTitle}
      code={code}
      about={
        <>
          <p>{text.giveBackText}</p>
          <SelectField
            label={text.whichUse}
            value={chosen}
            onValue={setChosen}
            isNames
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
