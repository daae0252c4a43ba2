import { useState } from 'preact/hooks';
import { goTo, linkTo } from '../../address/address.ts';
import { call } from '../../calls/call.ts';
import { fieldError } from '../../calls/problem.ts';
import type { Delivery, NewWebhook, Webhook } from '../../calls/types.ts';
import type { Loaded } from '../../calls/use-load.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { fromLocalInput, toLocalInput, viewerZone } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { Button } from '../../parts/button.tsx';
import { About, Confirm, FormDialog } from '../../parts/dialog.tsx';
import { notify } from '../../parts/live.tsx';
import { MomentField } from '../../parts/moment-field.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';
import { SecretDialog } from '../../parts/secret-dialog.tsx';

const dayMillis = 86_400_000;

/** What is asked about before it is done. */
type Act = 'rotate' | 'replay' | 'remove';

/** What may be done to a webhook: a test, sending again, a new secret, off and on, and deleting it. */
export function WebhookActions({ webhook, onSent }: { webhook: Loaded<Webhook>; onSent: () => void }) {
  const text = messages().webhooks;
  const { id, url, status } = webhook.data!;
  const [act, setAct] = useState<Act | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const { test, turn } = useAtOnce(webhook, onSent);
  return (
    <>
      {status === 'enabled' && (
        <>
          <Button kind="primary" onClick={() => void test.submit()} isBusy={test.isBusy}>
            {text.test}
          </Button>
          <Button onClick={() => setAct('replay')}>{text.replay}</Button>
        </>
      )}
      <Button onClick={() => setAct('rotate')}>{text.rotate}</Button>
      <Button kind={status === 'enabled' ? 'plain' : 'primary'} onClick={() => void turn.submit()} isBusy={turn.isBusy}>
        {status === 'enabled' ? text.disable : text.enable}
      </Button>
      <Button kind="caution" onClick={() => setAct('remove')}>
        {text.remove}
      </Button>
      <ProblemBox problem={test.problem ?? turn.problem} />
      {act !== null && (
        <Question
          act={act}
          path={pathOf(id)}
          url={url}
          onSecret={setSecret}
          onSent={onSent}
          onClose={() => setAct(null)}
        />
      )}
      {secret !== null && (
        <SecretDialog
          title={text.secretTitle}
          intro={text.secretText}
          done={text.secretDone}
          secret={secret}
          onClose={() => setSecret(null)}
        />
      )}
    </>
  );
}

const pathOf = (id: string) => `/v1/webhooks/${id}`;

/** What is done without a question: a test, and turning it off or on, either of which can be undone. */
function useAtOnce(webhook: Loaded<Webhook>, onSent: () => void) {
  const { id, status } = webhook.data!;
  const test = useSubmit<Delivery>(
    (key) => call('POST', `${pathOf(id)}/test`, { key }),
    () => {
      notify(messages().webhooks.tested);
      onSent();
    },
  );
  const turn = useSubmit<Webhook>(
    () => call('PATCH', pathOf(id), { body: { status: status === 'enabled' ? 'disabled' : 'enabled' } }),
    (changed) => {
      webhook.replace(changed);
      const words = messages().webhooks;
      notify(changed.status === 'enabled' ? words.switchedOn : words.switchedOff);
    },
  );
  return { test, turn };
}

interface QuestionProps {
  path: string;
  url: string;
  onSecret: (secret: string | null) => void;
  onSent: () => void;
  onClose: () => void;
}

function Question({ act, path, url, onSecret, onSent, onClose }: QuestionProps & { act: Act }) {
  const text = messages().webhooks;
  switch (act) {
    case 'rotate':
      return (
        <Confirm<NewWebhook>
          title={text.rotateTitle}
          action={text.rotateAction}
          send={(key) => call('POST', `${path}/rotate`, { key })}
          onDone={({ secret }) => {
            onClose();
            onSecret(secret ?? null);
          }}
          onClose={onClose}
        >
          <About>{url}</About>
          <p>{text.rotateText}</p>
        </Confirm>
      );
    case 'replay':
      return (
        <ReplayDialog
          path={path}
          url={url}
          onDone={() => {
            onClose();
            notify(messages().webhooks.replayed);
            onSent();
          }}
          onClose={onClose}
        />
      );
    case 'remove':
      return (
        <Confirm
          title={text.removeTitle}
          action={text.removeAction}
          kind="danger"
          typed={url}
          send={() => call('DELETE', path)}
          onDone={() => {
            goTo(linkTo('/webhooks'));
            notify(messages().webhooks.removed);
          }}
          onClose={onClose}
        >
          <p>{text.removeText}</p>
        </Confirm>
      );
  }
}

/** Asks for a span of time, the last day at first. */
function ReplayDialog({
  path,
  url,
  onDone,
  onClose,
}: {
  path: string;
  url: string;
  onDone: () => void;
  onClose: () => void;
}) {
  const text = messages();
  const zone = viewerZone();
  const daysAgo = (days: number) => toLocalInput(new Date(Date.now() - days * dayMillis).toISOString(), zone);
  const [from, setFrom] = useState(() => daysAgo(1));
  const [to, setTo] = useState(() => daysAgo(0));
  const { submit, isBusy, problem } = useSubmit<unknown>((key) => {
    const body = { from: fromLocalInput(from, zone) ?? from, to: fromLocalInput(to, zone) ?? to };
    return call('POST', `${path}/replay`, { body, key });
  }, onDone);
  return (
    <FormDialog
      title={text.webhooks.replayTitle}
      action={text.webhooks.replayAction}
      isBusy={isBusy}
      problem={problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <About>{url}</About>
      <p>{text.webhooks.replayText}</p>
      <MomentField
        label={text.webhooks.replayFrom}
        zone={zone}
        value={from}
        onValue={setFrom}
        error={fieldError(problem, 'from')}
      />
      <MomentField
        label={text.webhooks.replayTo}
        zone={zone}
        value={to}
        onValue={setTo}
        error={fieldError(problem, 'to')}
      />
    </FormDialog>
  );
}
