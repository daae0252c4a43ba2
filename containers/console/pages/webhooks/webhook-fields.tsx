import { fieldError, type Problem } from '../../calls/problem.ts';
import type { Webhook } from '../../calls/types.ts';
import { messages } from '../../messages/messages.ts';
import { CheckField, TextField } from '../../parts/field.tsx';
import { FieldError } from '../../parts/field-error.tsx';

/** What is typed into a form of a webhook. */
export type WebhookDraft = Pick<Webhook, 'url' | 'events'> & { description: string };

/** The body of a request that makes or changes a webhook. */
export function bodyOf({ url, events, description }: WebhookDraft) {
  return { url: url.trim(), events, description: description.trim() === '' ? null : description.trim() };
}

type Subscribable = Webhook['events'][number];

/** Everything that a webhook may be told of, in the order in which it is offered. */
export function eventTypes(): Subscribable[] {
  return Object.keys(messages().webhooks.types).filter((type): type is Subscribable => type !== 'webhook.test');
}

/** The fields of a webhook. */
export function WebhookFields({
  draft,
  onDraft,
  problem,
}: {
  draft: WebhookDraft;
  onDraft: (draft: WebhookDraft) => void;
  problem: Problem | null;
}) {
  const text = messages().webhooks;
  const types = eventTypes();
  const wrongEvents = fieldError(problem, 'events');
  const toggle = (type: Subscribable, isOn: boolean) =>
    onDraft({ ...draft, events: types.filter((one) => (one === type ? isOn : draft.events.includes(one))) });
  return (
    <>
      <TextField
        {...text.url}
        type="url"
        autocomplete="off"
        spellcheck={false}
        value={draft.url}
        onValue={(url) => onDraft({ ...draft, url })}
        error={fieldError(problem, 'url')}
      />
      <TextField
        {...text.description}
        isOptional
        autocomplete="off"
        value={draft.description}
        onValue={(description) => onDraft({ ...draft, description })}
        error={fieldError(problem, 'description')}
      />
      <fieldset>
        <legend>{text.events}</legend>
        <div class="fields">
          {types.map((type) => (
            <CheckField
              key={type}
              label={text.types[type]}
              isOn={draft.events.includes(type)}
              onValue={(isOn) => toggle(type, isOn)}
            />
          ))}
        </div>
        {wrongEvents !== null && <FieldError error={draft.events.length === 0 ? text.eventsMissing : wrongEvents} />}
      </fieldset>
    </>
  );
}
