import { language } from '../language/language.ts';
import type { Translation } from '../language/plurals.ts';
import { en } from './en.ts';
import { es } from './es.ts';

/** Every text of the console, by the page that it is on. */
export type Messages = Translation<typeof en>;

/**
 * The texts in the language in use. A component that asks for them is drawn anew when the language changes, so ask
 * while drawing and keep nothing.
 */
export function messages(): Messages {
  return language.value === 'es' ? es : en;
}
