import { signal } from '@preact/signals';
import { keepChoice, type Theme, themeKey, themes } from './choices.ts';

/** The choice of colours. */
export const theme = signal<Theme>('system');

/** Takes the colours that the page was drawn with. Called once, before the first component is. */
export function openTheme(): void {
  const drawn = document.documentElement.dataset.theme;
  theme.value = themes.find((name) => name === drawn) ?? 'system';
}

/** Changes the colours at once, and keeps the choice in this browser. */
export function changeTheme(chosen: Theme): void {
  theme.value = chosen;
  document.documentElement.dataset.theme = chosen;
  keepChoice(themeKey, chosen);
}
