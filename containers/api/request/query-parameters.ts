/** Parameters that are numbers; every other one is text. */
const numericParameters = new Set(['limit']);

/**
 * Reads a query string. Nothing is guessed: a number is plain decimal digits, and a parameter that comes twice becomes
 * a list, which no route's schema takes.
 */
export function parseQuery(query: string): Record<string, unknown> {
  // A plain object is checked faster than one without a prototype, and most requests have no query.
  if (query === '') return {};
  // Without a prototype, so that a parameter called `__proto__` is a name like any other.
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) {
    const before = values[name];
    if (before !== undefined) values[name] = [before, value];
    else values[name] = numericParameters.has(name) && /^[0-9]{1,9}$/.test(value) ? Number(value) : value;
  }
  return values;
}
