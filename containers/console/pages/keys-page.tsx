import { useState } from 'preact/hooks';
import { call } from '../calls/call.ts';
import { isOver } from '../calls/is-over.ts';
import { fieldError } from '../calls/problem.ts';
import type { ApiKey, NewApiKey } from '../calls/types.ts';
import { type LoadedList, useList } from '../calls/use-load.ts';
import { useSubmit } from '../calls/use-submit.ts';
import { fromLocalInput, viewerZone } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { Badge } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { DayField } from '../parts/day-field.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { SelectField, TextField } from '../parts/field.tsx';
import { ListTable } from '../parts/list-table.tsx';
import { notify } from '../parts/live.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { rowNames } from '../parts/row-names.ts';
import { SecretDialog } from '../parts/secret-dialog.tsx';
import { ShortMoment } from '../parts/time.tsx';

const roles = ['redeemer', 'operator', 'admin'] as const;

/** The tenant's API keys: making one, and ending one. */
export function KeysPage() {
  const text = messages().keys;
  const keys = useList<ApiKey>('/v1/api-keys?limit=100');
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Page title={text.title} intro={<p>{text.intro}</p>}>
      <KeyTable keys={keys} />
      <NewKey
        onMade={(key) => {
          setSecret(key.secret ?? null);
          void keys.reload();
        }}
      />
      {secret !== null && (
        <SecretDialog
          title={text.madeTitle}
          intro={text.madeText}
          done={text.done}
          secret={secret}
          onClose={() => setSecret(null)}
        />
      )}
    </Page>
  );
}

function KeyTable({ keys }: { keys: LoadedList<ApiKey> }) {
  const text = messages();
  const [chosen, setChosen] = useState<ApiKey | null>(null);
  const zone = viewerZone();
  const names = rowNames(
    keys.items ?? [],
    ({ id }) => id,
    ({ name }) => name,
  );
  return (
    <>
      <ListTable
        caption={text.keys.title}
        list={keys}
        keyOf={({ id }) => id}
        zone={zone}
        empty={
          <EmptyState title={text.keys.empty}>
            <p>{text.keys.emptyHint}</p>
          </EmptyState>
        }
        columns={[
          { title: text.keys.name.label, isHead: true, cell: ({ name }) => <span dir="auto">{name}</span> },
          { title: text.keys.role.label, cell: ({ role }) => text.shell.roles[role] },
          { title: text.keys.createdAt, cell: ({ createdAt }) => <ShortMoment at={createdAt} zone={zone} /> },
          {
            title: text.keys.ends,
            cell: ({ expiresAt }) =>
              expiresAt === null ? text.code.never : <ShortMoment at={expiresAt} zone={zone} />,
          },
          { title: text.keys.state, cell: (key) => <KeyState apiKey={key} /> },
          {
            title: text.keys.actions,
            cell: (key) => (
              <Button
                kind="caution"
                aria-label={text.keys.revokeOf(names.get(key.id) ?? key.name)}
                onClick={() => setChosen(key)}
              >
                {text.common.asking(text.keys.revoke)}
              </Button>
            ),
          },
        ]}
      />
      {chosen !== null && (
        <RevokeKey apiKey={chosen} onRevoked={() => void keys.reload()} onClose={() => setChosen(null)} />
      )}
    </>
  );
}

function KeyState({ apiKey: { expiresAt } }: { apiKey: ApiKey }) {
  const text = messages().keys;
  return isOver(expiresAt, Date.now()) ? (
    <Badge tone="quiet">{text.ended}</Badge>
  ) : (
    <Badge tone="good">{text.live}</Badge>
  );
}

/** Asks for a key's name before the key is ended. */
function RevokeKey({
  apiKey: { id, name },
  onRevoked,
  onClose,
}: {
  apiKey: ApiKey;
  onRevoked: () => void;
  onClose: () => void;
}) {
  const text = messages().keys;
  return (
    <Confirm
      title={text.revokeTitle}
      action={text.revoke}
      kind="danger"
      typed={name}
      send={() => call('DELETE', `/v1/api-keys/${id}`)}
      onDone={() => {
        onClose();
        notify(messages().keys.revokedNow);
        onRevoked();
      }}
      onClose={onClose}
    >
      <p>{text.revokeText}</p>
    </Confirm>
  );
}

function NewKey({ onMade }: { onMade: (key: NewApiKey) => void }) {
  const text = messages().keys;
  const [name, setName] = useState('');
  const [role, setRole] = useState<(typeof roles)[number]>('redeemer');
  const [endsOn, setEndsOn] = useState('');
  const { submit, isBusy, problem } = useSubmit<NewApiKey>(
    (key) => {
      // The end of that day on the clock of whoever makes it, as the list shows it.
      const end = endsOn === '' ? {} : { expiresAt: fromLocalInput(`${endsOn}T23:59`, viewerZone()) ?? endsOn };
      return call('POST', '/v1/api-keys', { body: { name: name.trim(), role, ...end }, key });
    },
    (key) => {
      setName('');
      setEndsOn('');
      onMade(key);
    },
  );
  return (
    <form
      class="panel stack"
      aria-labelledby="new-key"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h2 id="new-key">{text.newTitle}</h2>
      <TextField {...text.name} autocomplete="off" value={name} onValue={setName} error={fieldError(problem, 'name')} />
      <SelectField
        {...text.role}
        value={role}
        onValue={setRole}
        options={roles.map((one) => [one, messages().shell.roles[one]] as const)}
      />
      <DayField
        {...text.expiresAt}
        isOptional
        value={endsOn}
        onValue={setEndsOn}
        error={fieldError(problem, 'expiresAt')}
      />
      <ProblemBox problem={problem} />
      <div class="actions">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {text.make}
        </Button>
      </div>
    </form>
  );
}
