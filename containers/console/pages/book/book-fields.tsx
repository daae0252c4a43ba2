import { fieldError, type Problem } from '../../calls/problem.ts';
import { formatMoment, fromLocalInput, timeZones, viewerZone } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { CheckField, Field, TextField } from '../../parts/field.tsx';
import type { BookDraft, NumberTerm } from './book-draft.ts';

/** What the fields of a book need. */
export interface BookFieldsProps {
  draft: BookDraft;
  onDraft: (draft: BookDraft) => void;
  problem: Problem | null;
  /** The public code can be changed in a draft alone. */
  isDraft: boolean;
}

/** The fields of a book, in groups, each with what it means. */
export function BookFields({ draft, onDraft, problem, isDraft }: BookFieldsProps) {
  const text = messages().terms;
  const set = (changes: Partial<BookDraft>) => onDraft({ ...draft, ...changes });
  const error = (term: string) => fieldError(problem, `/${term}`);
  const number = (term: NumberTerm) => (
    <TextField
      {...text[term]}
      value={draft[term]}
      onValue={(value) => set({ [term]: value })}
      error={error(term)}
      inputMode="numeric"
      autocomplete="off"
    />
  );
  const moment = (term: 'startsAt' | 'endsAt') => (
    <TextField
      {...text[term]}
      type="datetime-local"
      value={draft[term]}
      onValue={(value) => set({ [term]: value })}
      error={error(term)}
      help={
        <>
          {text[term].help} {onViewersClock(draft[term], draft.timeZone)}
        </>
      }
    />
  );
  return (
    <>
      <fieldset>
        <legend>{text.groups.basics}</legend>
        <TextField
          {...text.name}
          value={draft.name}
          onValue={(name) => set({ name })}
          error={error('name')}
          autocomplete="off"
          required
        />
        <Field {...text.description} isOptional error={error('description')}>
          {(control) => (
            <textarea
              {...control}
              dir="auto"
              rows={3}
              value={draft.description}
              onInput={(event) => set({ description: event.currentTarget.value })}
            />
          )}
        </Field>
        <TextField
          {...text.publicCode}
          isOptional
          value={draft.publicCode}
          onValue={(publicCode) => set({ publicCode })}
          error={error('publicCode')}
          readOnly={!isDraft}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
        />
      </fieldset>
      <fieldset>
        <legend>{text.groups.time}</legend>
        <TextField
          {...text.timeZone}
          value={draft.timeZone}
          onValue={(timeZone) => set({ timeZone })}
          error={error('timeZone')}
          list="time-zones"
          autocomplete="off"
          spellcheck={false}
        />
        <datalist id="time-zones">
          {timeZones().map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
        <div class="columns">
          {moment('startsAt')}
          {moment('endsAt')}
        </div>
        {number('validForDays')}
      </fieldset>
      <fieldset>
        <legend>{text.groups.limits}</legend>
        <div class="columns">
          {number('maxCodesPerUser')}
          {number('maxRedemptionsPerCode')}
          {number('maxRedemptionsPerUser')}
          {number('maxRedemptions')}
        </div>
      </fieldset>
      <fieldset>
        <legend>{text.groups.locks}</legend>
        {number('lockTtlSeconds')}
        <CheckField
          {...text.requireLock}
          isOn={draft.requireLock}
          onValue={(requireLock) => set({ requireLock })}
          error={error('requireLock')}
        />
        <CheckField
          {...text.selfService}
          isOn={draft.selfService}
          onValue={(selfService) => set({ selfService })}
          error={error('selfService')}
        />
      </fieldset>
    </>
  );
}

/** What a time of the book is on the clock of whoever looks, where it is another one. */
function onViewersClock(local: string, zone: string): string {
  const instant = local === '' ? null : fromLocalInput(local, zone.trim());
  if (instant === null) return '';
  const here = formatMoment(instant, viewerZone());
  return here === formatMoment(instant, zone.trim()) ? '' : messages().terms.here(here);
}
