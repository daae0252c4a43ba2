import type { Language } from '../language/choices.ts';
import { language } from '../language/language.ts';
import type { Translation } from '../language/plurals.ts';
import { en } from './en.ts';

/** Every text of the console, by the page that it is on. */
export type Messages = Translation<typeof en>;

/** English comes with the console; another language is read when somebody reads it. */
const texts: Record<Language, Messages | null> = { en, es: null };

/** Reads a language's texts, once. Before that, `messages` gives English. Rejects where the server can't be reached. */
export async function loadMessages(wanted: Language): Promise<void> {
  if (wanted === 'es') texts.es ??= (await import('./es.ts')).es;
}

/**
 * The texts in the language in use. A component that asks for them is drawn anew when the language changes, so ask
 * while drawing and keep nothing.
 */
export function messages(): Messages {
  return texts[language.value] ?? en;
}
