import type { Language } from '../language/choices.ts';
import { language } from '../language/language.ts';
import type { Translation } from '../language/plurals.ts';
import type { en } from './en.ts';

/** Every text of the console, by the page that it is on. */
export type Messages = Translation<typeof en>;

/** What was read so far; each language is a file of its own. */
const texts = new Map<Language, Messages>();

const readers: Record<Language, () => Promise<Messages>> = {
  en: async () => (await import('./en.ts')).en,
  es: async () => (await import('./es.ts')).es,
};

/** Reads a language's texts, once. Rejects where the server can't be reached. */
export async function loadMessages(wanted: Language): Promise<void> {
  if (!texts.has(wanted)) texts.set(wanted, await readers[wanted]());
}

/**
 * The texts in the language in use, which were read before anything was drawn in it. A component that asks for them is
 * drawn anew when the language changes, so ask while drawing and keep nothing.
 */
export function messages(): Messages {
  return texts.get(language.value)!;
}
