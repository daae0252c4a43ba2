import { type Language, languages, type Theme, themes } from '../language/choices.ts';
import { changeLanguage, language } from '../language/language.ts';
import { changeTheme, theme } from '../language/theme.ts';
import { messages } from '../messages/messages.ts';
import { SelectField } from '../parts/field.tsx';

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
        onValue={changeLanguage}
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
