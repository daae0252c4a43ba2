import { chooseLanguage, languageKey, readChoice, themeKey } from './language/choices.ts';

/**
 * Runs before the page is drawn, so that nobody is dazzled by the other colours first. A file of its own, since the
 * content policy takes no script within the page.
 */
const { documentElement } = document;
documentElement.dataset.theme = readChoice(themeKey) ?? 'system';
documentElement.lang = chooseLanguage(readChoice(languageKey), navigator.languages);
