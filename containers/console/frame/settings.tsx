import { type Language, languages, type Theme, themes } from '../language/choices.ts';
import { changeLanguage, language } from '../language/language.ts';
import { changeTheme, theme } from '../language/theme.ts';
import { loadMessages, messages } from '../messages/messages.ts';
import { SelectField } from '../parts/field.tsx';
import { notify } from '../parts/live.tsx';

/** The choices of whoever looks: language and colours. They hold in this browser, and take effect at once. */
export function Settings() {
  const text = messages().shell;
  const languageNames = { en: text.english, es: text.spanish };
  const themeNames = { system: text.themeSystem, light: text.themeLight, dark: text.themeDark };
  return (
    <>
      <SelectField<Language>
        label={text.language}
        value={language.value}
        onValue={(chosen) => void choose(chosen)}
        options={languages.map((name) => [name, languageNames[name]] as const)}
      />
      <SelectField<Theme>
        label={text.theme}
        value={theme.value}
        onValue={changeTheme}
        options={themes.map((name) => [name, themeNames[name]] as const)}
      />
    </>
  );
}

/** The language changes once its texts are there. */
async function choose(chosen: Language): Promise<void> {
  try {
    await loadMessages(chosen);
    changeLanguage(chosen);
  } catch {
    notify(messages().shell.lost);
  }
}
