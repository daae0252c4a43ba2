import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { messages } from '../messages/messages.ts';
import { FieldError, type Wrong } from './field-error.tsx';
import { useAnnounced } from './live.tsx';

/** What ties a control to its label, its help and its error. Spread it over the control. */
export interface ControlProps {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

/** What every field has. */
export interface FieldProps {
  label: string;
  help?: ComponentChildren;
  /** What was chosen, in words, where the browser shows it in its own language; stands before the help. */
  inWords?: string | null;
  /** What is wrong with it; null: nothing. */
  error?: Wrong | null;
  /** What is likely a mistake, and may be meant all the same; null: nothing. */
  warning?: string | null;
  isOptional?: boolean;
}

/** A control with its label above, its help below, and beside it what is wrong. */
export function Field({
  label,
  help,
  inWords = null,
  error = null,
  warning = null,
  isOptional = false,
  children,
}: FieldProps & { children: (control: ControlProps) => ComponentChildren }) {
  const id = useId();
  const text = messages().common;
  useAnnounced(warning);
  const hasHelp = help !== undefined || inWords !== null;
  const described = [
    hasHelp ? `${id}-help` : '',
    error === null ? '' : `${id}-error`,
    warning === null ? '' : `${id}-warning`,
  ].filter(Boolean);
  return (
    <div class={error === null ? 'field' : 'field field-wrong'}>
      <label for={id}>
        {label}
        {isOptional && <span class="muted"> ({text.optional})</span>}
      </label>
      {children({
        id,
        'aria-describedby': described.length === 0 ? undefined : described.join(' '),
        'aria-invalid': error === null ? undefined : true,
      })}
      {error !== null && <FieldError id={`${id}-error`} error={error} />}
      {warning !== null && (
        <p class="warning" id={`${id}-warning`}>
          {warning}
        </p>
      )}
      {hasHelp && (
        <p class="field-help" id={`${id}-help`}>
          {inWords !== null && <strong>{inWords}</strong>} {help}
        </p>
      )}
    </div>
  );
}

/** A field of one line of text. */
export function TextField({
  value,
  onValue,
  label,
  help,
  inWords,
  error,
  warning,
  isOptional,
  ...rest
}: FieldProps & { value: string; onValue: (value: string) => void } & Omit<
    JSX.IntrinsicElements['input'],
    'value' | 'label'
  >) {
  return (
    <Field
      label={label}
      help={help}
      inWords={inWords ?? null}
      error={error ?? null}
      warning={warning ?? null}
      isOptional={isOptional ?? false}
    >
      {(control) => (
        <input
          dir="auto"
          {...rest}
          {...control}
          value={value}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** A box to tick, with its label beside it. */
export function CheckField({
  isOn,
  onValue,
  label,
  help,
  error = null,
}: FieldProps & { isOn: boolean; onValue: (isOn: boolean) => void }) {
  const id = useId();
  return (
    <div class="field check">
      <div class="check-row">
        <input
          type="checkbox"
          id={id}
          checked={isOn}
          aria-describedby={help === undefined ? undefined : `${id}-help`}
          onChange={(event) => onValue(event.currentTarget.checked)}
        />
        <label for={id}>{label}</label>
      </div>
      {error !== null && <FieldError error={error} />}
      {help !== undefined && (
        <p class="field-help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

/** A choice among a few words. */
export function SelectField<Value extends string>({
  value,
  onValue,
  options,
  label,
  help,
  error,
  warning,
  isNames = false,
}: FieldProps & {
  value: Value;
  onValue: (value: Value) => void;
  options: readonly (readonly [Value, string])[];
  /** The words are names that somebody chose, of any length and direction. */
  isNames?: boolean;
}) {
  return (
    <Field label={label} help={help} error={error ?? null} warning={warning ?? null}>
      {(control) => (
        <select
          dir={isNames ? 'auto' : undefined}
          {...control}
          value={value}
          onChange={(event) => onValue(event.currentTarget.value as Value)}
        >
          {options.map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
