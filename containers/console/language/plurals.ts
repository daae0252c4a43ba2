/** A number with the noun that belongs to it: `1 code`, `3 codes`. */
export type CountWords<Category extends string> = (count: number, words: Record<Category, string>) => string;

/**
 * Makes the function that counts things in one language. Which forms a noun needs there, the type says: English has one
 * and other, Spanish has many too, for whole millions (`1.000.000 de códigos`).
 */
export function countWordsOf<Category extends Intl.LDMLPluralRule>(locale: string): CountWords<Category> {
  const rules = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale, { useGrouping: 'always' });
  return (count, words) => `${numbers.format(count)} ${words[rules.select(count) as Category]}`;
}

/** Counts in English. */
export const countInEnglish = countWordsOf<'one' | 'other'>('en');

/** Counts in Spanish. */
export const countInSpanish = countWordsOf<'one' | 'many' | 'other'>('es');

/** The shape that another language's texts must have: the same names, and functions of the same values. */
export type Translation<T> = T extends string
  ? string
  : T extends (...given: infer Given) => string
    ? (...given: Given) => string
    : { readonly [Name in keyof T]: Translation<T[Name]> };
