import { useRef } from 'preact/hooks';
import { fieldError, type Problem, stillTold } from '../../calls/problem.ts';
import type { Book } from '../../calls/types.ts';
import {
  formatMoment,
  formatZone,
  fromLocalInput,
  placesOf,
  timeZones,
  viewerZone,
  zoneAt,
} from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { CheckField, Field, TextField } from '../../parts/field.tsx';
import { MomentField } from '../../parts/moment-field.tsx';
import type { BookDraft, NumberTerm } from './book-draft.ts';
import { endFault } from './book-faults.ts';

/** What the fields of a book need. */
export interface BookFieldsProps {
  draft: BookDraft;
  onDraft: (draft: BookDraft) => void;
  problem: Problem | null;
  /** The public code can be changed in a draft alone, and nothing in a closed book. */
  status: Book['status'];
}

/**
 * The fields of a book, in groups, each with what it means. What was wrong with a field is gone once that is changed:
 * whether it is right now, nobody knows yet.
 */
export function BookFields({ draft, onDraft, problem, status }: BookFieldsProps) {
  const told = useRef({ problem, draft });
  if (told.current.problem !== problem) told.current = { problem, draft };
  const open = stillTold(
    problem,
    (field) => draft[field as keyof BookDraft] === told.current.draft[field as keyof BookDraft],
  );
  const group: GroupProps = { draft, problem: open, status, set: (changes) => onDraft({ ...draft, ...changes }) };
  return (
    <>
      <BasicFields {...group} />
      <TimeFields {...group} />
      <LimitFields {...group} />
      <CheckoutFields {...group} />
    </>
  );
}

/** What every group of fields needs. */
interface GroupProps extends Omit<BookFieldsProps, 'onDraft'> {
  /** Changes some of the fields. */
  set: (changes: Partial<BookDraft>) => void;
}

function BasicFields({ draft, problem, status, set }: GroupProps) {
  const text = messages().terms;
  return (
    <fieldset>
      <legend>{text.groups.basics}</legend>
      <TextField
        {...text.name}
        value={draft.name}
        onValue={(name) => set({ name })}
        error={fieldError(problem, 'name')}
        autocomplete="off"
        required
      />
      <Field {...text.description} isOptional error={fieldError(problem, 'description')}>
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
      {(status === 'draft' || draft.publicCode !== '') && (
        <TextField
          {...text.publicCode}
          isOptional
          value={draft.publicCode}
          onValue={(publicCode) => set({ publicCode })}
          error={fieldError(problem, 'publicCode')}
          readOnly={status !== 'draft'}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
        />
      )}
    </fieldset>
  );
}

function TimeFields(group: GroupProps) {
  const { draft, problem, set } = group;
  const text = messages().terms;
  const place = formatZone(draft.timeZone.trim());
  return (
    <fieldset>
      <legend>{text.groups.time}</legend>
      <TextField
        {...text.timeZone}
        value={draft.timeZone}
        onValue={(timeZone) => set({ timeZone })}
        onBlur={() => {
          const zone = zoneAt(draft.timeZone);
          if (zone !== null) set({ timeZone: zone });
        }}
        // A long name is cut on a narrow screen, and its end is what tells it from others.
        inWords={place === null ? null : `${place}.`}
        error={fieldError(problem, 'timeZone')}
        list="time-zones"
        autocomplete="off"
        spellcheck={false}
      />
      <datalist id="time-zones">
        {timeZones().map((zone) => (
          <option key={zone} value={zone} label={placesOf(zone)} />
        ))}
      </datalist>
      <div class="columns">
        <BoundField term="startsAt" {...group} />
        <BoundField term="endsAt" {...group} />
      </div>
      <NumberField term="validForDays" {...group} />
    </fieldset>
  );
}

const limitTerms = ['maxCodesPerUser', 'maxRedemptionsPerCode', 'maxRedemptionsPerUser', 'maxRedemptions'] as const;

function LimitFields(group: GroupProps) {
  return (
    <fieldset>
      <legend>{messages().terms.groups.limits}</legend>
      <div class="columns">
        {limitTerms.map((term) => (
          <NumberField key={term} term={term} {...group} />
        ))}
      </div>
    </fieldset>
  );
}

function CheckoutFields(group: GroupProps) {
  const { draft, set } = group;
  const text = messages().terms;
  return (
    <fieldset>
      <legend>{text.groups.locks}</legend>
      <NumberField term="lockTtlSeconds" {...group} />
      <CheckField {...text.requireLock} isOn={draft.requireLock} onValue={(requireLock) => set({ requireLock })} />
      <CheckField {...text.selfService} isOn={draft.selfService} onValue={(selfService) => set({ selfService })} />
    </fieldset>
  );
}

function NumberField({ term, draft, problem, set }: GroupProps & { term: NumberTerm }) {
  return (
    <TextField
      {...messages().terms[term]}
      value={draft[term]}
      onValue={(value) => set({ [term]: value })}
      error={fieldError(problem, term)}
      inputMode="numeric"
      autocomplete="off"
    />
  );
}

function BoundField({ term, draft, problem, status, set }: GroupProps & { term: 'startsAt' | 'endsAt' }) {
  const { terms } = messages();
  const text = terms[term];
  const fault = term === 'endsAt' && status !== 'closed' ? endFault(draft, Date.now()) : null;
  const error = fieldError(problem, term);
  return (
    <MomentField
      {...text}
      zone={draft.timeZone.trim()}
      value={draft[term]}
      onValue={(value) => set({ [term]: value })}
      // What the console knows of it says more than what the field takes.
      error={error !== null && fault === 'endNotAfterStart' ? terms[fault] : error}
      warning={fault === null || error !== null ? null : terms[fault]}
      help={
        <>
          {onViewersClock(draft[term], draft.timeZone)} {text.help}
        </>
      }
    />
  );
}

/** What a time of the book is on the clock of whoever looks, where it is another one. */
function onViewersClock(local: string, zone: string): string {
  const instant = local === '' ? null : fromLocalInput(local, zone.trim());
  if (instant === null) return '';
  const here = formatMoment(instant, viewerZone());
  return here === formatMoment(instant, zone.trim()) ? '' : messages().terms.here(here);
}
