import { formatInWords, fromLocalInput, placeOf } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import type { FieldProps } from './field.tsx';
import { TextField } from './field.tsx';

/**
 * A field for a day and time on the clocks of a zone. How the browser shows it follows its own language, in which 4/12
 * may be either: so what was chosen stands below in words.
 * @param value as a field for date and time gives it
 */
export function MomentField({
  zone,
  value,
  ...field
}: FieldProps & { zone: string; value: string; onValue: (value: string) => void }) {
  const at = value === '' ? null : fromLocalInput(value, zone);
  const words = at === null ? null : messages().common.momentInWords(formatInWords(at, zone), placeOf(zone));
  return <TextField {...field} type="datetime-local" value={value} inWords={words} />;
}
