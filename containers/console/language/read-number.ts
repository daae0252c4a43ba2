/**
 * The whole number that somebody typed, with or without marks between thousands: `5000`, `5,000`, `5.000`, `5 000`.
 * Null for what is none, such as `1.5`, which must not become 15.
 */
export function readWholeNumber(typed: string): number | null {
  const text = typed.trim();
  if (/^\d{1,15}$/.test(text)) return Number(text);
  return /^\d{1,3}(?<mark>[.,'’\s])\d{3}(?:\k<mark>\d{3}){0,3}$/.test(text) ? Number(text.replaceAll(/\D/g, '')) : null;
}
