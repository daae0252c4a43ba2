const innermost = /\([^()]*\)/;
const isQuery = /^\(\s*(select|with)\b/i;
/**
 * It chooses some of the rows: run again, it may choose others. `offset 0` is a fence for the planner, and chooses
 * none.
 */
const isChoice = /\blimit\b|\boffset\s+(?!0\b)|\bskip\s+locked\b/i;
/** Before a query that PostgreSQL carries out once, or for each row on purpose. */
const isCarriedOutOnPurpose = /\b(array|as\s+materialized|lateral)\s*$/i;
const isChange = /\bupdate\s+\w+(\s+(as\s+)?\w+)?\s+set\b|\bdelete\s+from\b/i;

/**
 * The queries within a statement that changes or deletes rows which choose some rows (`limit`, `offset`, `skip locked`)
 * and stand where PostgreSQL may carry them out again for each row that it looks at: behind `in`, or in a join. Each
 * time other rows may be chosen, and more are changed than the limit says. In `array(…)`, or in a `with … as
 * materialized`, they are carried out once. It reads the text as this project writes its statements, and is no parser
 * of SQL.
 */
export function choicesMadeAgain(statement: string): string[] {
  if (!isChange.test(statement)) return [];
  const found: string[] = [];
  let text = statement.replaceAll(/--[^\n]*/g, ' ').replaceAll(/'[^']*'/g, "''");
  for (let group = innermost.exec(text); group !== null; group = innermost.exec(text)) {
    const [part] = group;
    const before = text.slice(0, group.index);
    const isChosen = isQuery.test(part) && isChoice.test(part);
    if (isChosen && !isCarriedOutOnPurpose.test(before)) found.push(part.replaceAll(/\s+/g, ' '));
    // What is in parentheses within a query is a part of its own, and stands in it no more.
    text = `${before}‹›${text.slice(group.index + part.length)}`;
  }
  return found;
}
