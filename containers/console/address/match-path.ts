/** The values of a pattern's names, decoded. */
export type Parameters = Record<string, string>;

/**
 * Compares a path with a pattern such as `/books/:bookId/:tab?`, where `?` marks a part that may be missing. Parts are
 * decoded, and one that can't be stands for itself.
 * @returns what the names stand for; null where the path is another
 */
export function matchPath(pattern: string, path: string): Parameters | null {
  const wanted = pattern.split('/').slice(1);
  const given = path.split('/').slice(1);
  if (given.length > wanted.length) return null;
  const found: Parameters = {};
  for (const [index, piece] of wanted.entries()) {
    const value = given[index];
    if (value === undefined) {
      if (piece.endsWith('?')) continue;
      return null;
    }
    if (!piece.startsWith(':')) {
      if (piece !== value) return null;
      continue;
    }
    if (value === '') return null;
    found[piece.slice(1).replace(/\?$/, '')] = decode(value);
  }
  return found;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
