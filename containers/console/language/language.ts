import { signal } from '@preact/signals';
import { chooseLanguage, keepChoice, type Language, languageKey } from './choices.ts';

/** The language in use: the one chosen in this browser, else the first of the browser's own that the console speaks. */
export const language = signal<Language>('en');

/** Takes the language that the page was drawn with. Called once, before the first component is. */
export function openLanguage(): void {
  language.value = chooseLanguage(document.documentElement.lang, []);
}

/** Changes the language of everything at once, and keeps the choice in this browser. */
export function changeLanguage(chosen: Language): void {
  language.value = chosen;
  document.documentElement.lang = chosen;
  keepChoice(languageKey, chosen);
}
