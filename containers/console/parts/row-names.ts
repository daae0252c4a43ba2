/**
 * Names rows for those who hear their buttons: no two of a table are called the same. Of rows that would be, each but
 * the first gets its number behind its name.
 * @returns the name of a row, by its key
 */
export function rowNames<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  nameOf: (row: T) => string,
): Map<string, string> {
  const seen = new Map<string, number>();
  return new Map(
    rows.map((row) => {
      const name = nameOf(row);
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return [keyOf(row), count === 1 ? name : `${name} (${count})`];
    }),
  );
}
