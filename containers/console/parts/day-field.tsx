import { formatDayInWords } from '../language/formats.ts';
import { type FieldProps, TextField } from './field.tsx';

/** A field for a day. What was chosen stands below in words, since the browser shows it in its own language. */
export function DayField({
  value,
  help,
  ...field
}: FieldProps & { value: string; onValue: (value: string) => void; isOptional?: boolean }) {
  const day = formatDayInWords(value);
  const explained =
    day === null ? (
      help
    ) : (
      <>
        <strong>{day}.</strong> {help}
      </>
    );
  return <TextField {...field} type="date" value={value} help={explained} />;
}
