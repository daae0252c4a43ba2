/** The languages that the console speaks. */
export const languages = ['en', 'es'] as const;
/** One of them. */
export type Language = (typeof languages)[number];

/** What colours may be: those of the system, or always the same. */
export const themes = ['system', 'light', 'dark'] as const;
/** One of them. */
export type Theme = (typeof themes)[number];

/** Where a browser keeps the choice of a language. */
export const languageKey = 'qurable-language';
/** Where it keeps the choice of colours. */
export const themeKey = 'qurable-theme';

/**
 * Of the languages that somebody reads, in the order of preference, the first that the console speaks; else English.
 */
export function chooseLanguage(kept: string | null, preferred: readonly string[]): Language {
  const asked = [kept ?? '', ...preferred].map((tag) => tag.toLowerCase().split('-', 1)[0]);
  return asked.flatMap((tag) => languages.filter((known) => known === tag))[0] ?? 'en';
}

/** What a browser kept; null where it kept nothing, or keeps nothing at all. */
export function readChoice(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a choice. A browser that keeps nothing forgets it with the page. */
export function keepChoice(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // As it says above.
  }
}
