import { formatDayInWords } from '../language/formats.ts';
import { type FieldProps, TextField } from './field.tsx';

/** A field for a day, which is repeated in words. @param value as a field for a date gives it */
export function DayField({ value, ...field }: FieldProps & { value: string; onValue: (value: string) => void }) {
  const day = formatDayInWords(value);
  return <TextField {...field} type="date" value={value} inWords={day === null ? null : `${day}.`} />;
}
