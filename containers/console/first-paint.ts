import { chooseLanguage, languageKey, readChoice, themeKey } from './language/choices.ts';

/**
 * Runs before the page is drawn, so that nobody is dazzled by the other colours first. A file of its own, since the
 * content policy takes no script within the page.
 */
const { documentElement } = document;
documentElement.dataset.theme = readChoice(themeKey) ?? 'system';
const language = chooseLanguage(readChoice(languageKey), navigator.languages);
documentElement.lang = language;

// The texts come beside the program, which would otherwise ask for them when it has come itself.
const preload = document.createElement('link');
preload.rel = 'modulepreload';
preload.href = document.currentScript!.dataset[language]!;
document.head.append(preload);
