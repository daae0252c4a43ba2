import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { linkTo } from '../address/address.ts';
import type { Parameters } from '../address/match-path.ts';
import { call } from '../calls/call.ts';
import type { Delivery, Webhook } from '../calls/types.ts';
import { useLiveList } from '../calls/use-live-list.ts';
import { type Loaded, type LoadedList, useLoad } from '../calls/use-load.ts';
import { useSubmit } from '../calls/use-submit.ts';
import { formatNumber, viewerZone } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { notify } from '../parts/live.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { Moment, ShortMoment } from '../parts/time.tsx';
import { WebhookActions } from './webhooks/webhook-actions.tsx';
import { bodyOf, WebhookFields } from './webhooks/webhook-fields.tsx';
import { WebhookState } from './webhooks/webhook-state.tsx';

/** A webhook: what it was told, what may be done to it, and what it wants to be told of. */
export function WebhookPage({ webhookId = '' }: Parameters) {
  const text = messages();
  const path = `/v1/webhooks/${encodeURIComponent(webhookId)}`;
  const webhook = useLoad<Webhook>(path);
  const above = <a href={linkTo('/webhooks')}>{text.webhooks.title}</a>;
  if (webhook.data === null) {
    return (
      <Page title={webhook.problem?.status === 404 ? text.webhooks.missing : text.webhooks.title} above={above}>
        {webhook.problem === null && <p class="loading">{text.common.loading}</p>}
        <ProblemBox problem={webhook.problem} retry={() => void webhook.reload()} />
      </Page>
    );
  }
  return <KnownWebhook key={webhook.data.id} webhook={webhook} above={above} />;
}

/** One that waits for its first or next attempt is looked at until something came of it. */
const isMoving = ({ status, attempts }: Delivery) => status === 'pending' && attempts === 0;

function KnownWebhook({ webhook, above }: { webhook: Loaded<Webhook>; above: ComponentChildren }) {
  const text = messages().webhooks;
  const data = webhook.data!;
  // A replay sends an event under the id that it had.
  const keyOf = ({ id, createdAt, replay }: Delivery) => `${id} ${createdAt} ${replay}`;
  const deliveries = useLiveList<Delivery>(`/v1/webhooks/${data.id}/deliveries?limit=50`, keyOf, isMoving);
  return (
    <Page
      title={data.url}
      above={above}
      actions={<WebhookActions webhook={webhook} onSent={() => void deliveries.reload()} />}
      intro={
        <p>
          <WebhookState webhook={data} /> {data.disabledReason !== null && text.reasons[data.disabledReason]}
          {data.failingSince !== null && (
            <>
              {text.since} <Moment at={data.failingSince} zone={viewerZone()} />
            </>
          )}
          {data.replayMissed !== null && (
            <>
              {' '}
              {text.replayMissed} <Moment at={data.replayMissed.from} zone={viewerZone()} />
              {' – '}
              <Moment at={data.replayMissed.to} zone={viewerZone()} />
            </>
          )}
        </p>
      }
    >
      <section aria-labelledby="deliveries">
        <h2 id="deliveries">{text.deliveries}</h2>
        <Deliveries deliveries={deliveries} keyOf={keyOf} />
      </section>
      <EditWebhook webhook={webhook} />
    </Page>
  );
}

const tones: Record<Delivery['status'], Tone> = { pending: 'quiet', delivered: 'good', failed: 'danger' };

function Deliveries({ deliveries, keyOf }: { deliveries: LoadedList<Delivery>; keyOf: (one: Delivery) => string }) {
  const text = messages().webhooks;
  const zone = viewerZone();
  return (
    <ListTable
      caption={text.deliveries}
      list={deliveries}
      keyOf={keyOf}
      zone={zone}
      empty={
        <EmptyState title={text.deliveriesEmpty}>
          <p>{text.deliveriesHint}</p>
        </EmptyState>
      }
      columns={[
        {
          title: text.what,
          isHead: true,
          cell: ({ type, replay }) => (
            <>
              {text.types[type]}
              {replay && <span class="muted"> · {text.again}</span>}
            </>
          ),
        },
        { title: text.at, cell: ({ at }) => <ShortMoment at={at} zone={zone} /> },
        { title: text.state, cell: ({ status }) => <Badge tone={tones[status]}>{text.statuses[status]}</Badge> },
        { title: text.attempts, isNumber: true, cell: ({ attempts }) => formatNumber(attempts) },
        {
          title: text.answer,
          cell: ({ statusCode, error }) => (error === null ? statusCode : text.errors[error]),
        },
        {
          title: text.took,
          isNumber: true,
          cell: ({ durationMillis }) => durationMillis !== null && text.millis(formatNumber(durationMillis)),
        },
        {
          title: text.next,
          cell: ({ nextAttemptAt }) => nextAttemptAt !== null && <ShortMoment at={nextAttemptAt} zone={zone} />,
        },
      ]}
    />
  );
}

function EditWebhook({ webhook }: { webhook: Loaded<Webhook> }) {
  const text = messages().webhooks;
  const { id, url, events, description } = webhook.data!;
  const [draft, setDraft] = useState({ url, events, description: description ?? '' });
  const { submit, isBusy, problem } = useSubmit<Webhook>(
    () => call('PATCH', `/v1/webhooks/${id}`, { body: bodyOf(draft) }),
    (changed) => {
      webhook.replace(changed);
      notify(messages().webhooks.saved);
    },
  );
  return (
    <form
      class="panel stack"
      aria-labelledby="edit-webhook"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h2 id="edit-webhook">{text.editTitle}</h2>
      <WebhookFields draft={draft} onDraft={setDraft} problem={problem} />
      <ProblemBox problem={problem} />
      <div class="actions">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {text.save}
        </Button>
      </div>
    </form>
  );
}
