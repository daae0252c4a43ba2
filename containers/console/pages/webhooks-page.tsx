import { useState } from 'preact/hooks';
import { linkTo, part } from '../address/address.ts';
import { call } from '../calls/call.ts';
import type { NewWebhook, Webhook } from '../calls/types.ts';
import { useList } from '../calls/use-load.ts';
import { useSubmit } from '../calls/use-submit.ts';
import { formatNumber, viewerZone } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Breakable } from '../parts/breakable.tsx';
import { Button } from '../parts/button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { SecretDialog } from '../parts/secret-dialog.tsx';
import { ShortMoment } from '../parts/time.tsx';
import { bodyOf, eventTypes, type WebhookDraft, WebhookFields } from './webhooks/webhook-fields.tsx';
import { WebhookState } from './webhooks/webhook-state.tsx';

/** Who is told of events, and making one more. */
export function WebhooksPage() {
  const text = messages().webhooks;
  const webhooks = useList<Webhook>('/v1/webhooks?limit=100');
  const [secret, setSecret] = useState<string | null>(null);
  const zone = viewerZone();
  return (
    <Page title={text.title} intro={<p>{text.intro}</p>}>
      <ListTable
        caption={text.title}
        list={webhooks}
        keyOf={({ id }) => id}
        zone={zone}
        empty={
          <EmptyState title={text.empty}>
            <p>{text.emptyHint}</p>
          </EmptyState>
        }
        columns={[
          {
            title: text.url.label,
            isHead: true,
            cell: ({ id, url }) => (
              <a href={linkTo(`/webhooks/${part(id)}`)} aria-label={url}>
                <Breakable text={url} />
              </a>
            ),
          },
          { title: text.description.label, cell: ({ description }) => <span dir="auto">{description}</span> },
          {
            title: text.eventCount,
            cell: ({ events }) => messages().jobs.of(formatNumber(events.length), formatNumber(eventTypes().length)),
          },
          {
            title: text.state,
            cell: (webhook) => (
              <>
                <WebhookState webhook={webhook} />
                {webhook.failingSince !== null && (
                  <div class="muted cell-note">
                    {text.since} <ShortMoment at={webhook.failingSince} zone={zone} />
                  </div>
                )}
              </>
            ),
          },
          { title: text.createdAt, cell: ({ createdAt }) => <ShortMoment at={createdAt} zone={zone} /> },
        ]}
      />
      <MakeWebhook
        onMade={(made) => {
          setSecret(made.secret ?? null);
          void webhooks.reload();
        }}
      />
      {secret !== null && (
        <SecretDialog
          title={text.secretTitle}
          intro={text.secretText}
          done={text.secretDone}
          secret={secret}
          onClose={() => setSecret(null)}
        />
      )}
    </Page>
  );
}

const nothing: WebhookDraft = { url: '', description: '', events: [] };

function MakeWebhook({ onMade }: { onMade: (made: NewWebhook) => void }) {
  const text = messages().webhooks;
  const [draft, setDraft] = useState(nothing);
  const { submit, isBusy, problem } = useSubmit<NewWebhook>(
    (key) => call('POST', '/v1/webhooks', { body: bodyOf(draft), key }),
    (made) => {
      setDraft(nothing);
      onMade(made);
    },
  );
  return (
    <form
      class="panel stack"
      aria-labelledby="new-webhook"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h2 id="new-webhook">{text.newTitle}</h2>
      <WebhookFields draft={draft} onDraft={setDraft} problem={problem} />
      <ProblemBox problem={problem} />
      <div class="actions">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {text.make}
        </Button>
      </div>
    </form>
  );
}
