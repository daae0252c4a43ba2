/** What a statement of a migration keeps others from, on a table that is there already. */
export interface TableLock {
  table: string;
  /** What has to wait: everything, or what changes rows. */
  stops: 'everything' | 'writes';
  /** Whether it takes longer the more rows there are. */
  isLong: boolean;
}

type Rule = [pattern: RegExp, stops: TableLock['stops'], isLong: (statement: string) => boolean];

const name = '(?:if (?:not )?exists )?(?:only )?(?:public\\.)?"?(\\w+)"?';
const never = () => false;
const always = () => true;

/** From https://www.postgresql.org/docs/15/explicit-locking.html and the pages of ALTER TABLE and CREATE INDEX. */
const rules: Rule[] = [
  [new RegExp(`^create table ${name}.* partition of "?(\\w+)"?`), 'everything', never],
  [new RegExp(`^alter table ${name} (?!validate constraint)`), 'everything', isLongChange],
  [new RegExp(`^create (?:unique )?index (?!concurrently).*?\\bon ${name}`), 'writes', always],
  [new RegExp(`^(?:drop table|truncate(?: table)?) ${name}`), 'everything', never],
  // The name of the index stands for its table.
  [new RegExp(`^drop index (?!concurrently)${name}`), 'everything', never],
  [new RegExp(`^(?:update|delete from) ${name}`), 'writes', always],
];

/**
 * What the migrations that are pending lock, strongest first for each table. They run in one transaction, so every lock
 * is kept until the last statement is done: where one of them is long, all are.
 * @param texts the files' texts, in order
 */
export function locksOfMigrations(texts: readonly string[]): TableLock[] {
  const statements = texts.flatMap(statementsOf);
  const made = new Set(statements.flatMap((statement) => madeBy(statement) ?? []));
  const locks = new Map<string, TableLock>();
  const found = statements.flatMap(lockOf).filter(({ table }) => !made.has(table));
  const isLong = found.some((lock) => lock.isLong);
  for (const { table, stops } of found) {
    const before = locks.get(table)?.stops;
    locks.set(table, { table, stops: before === 'everything' ? before : stops, isLong });
  }
  return [...locks.values()];
}

/**
 * Statements in small letters with single spaces, without comments; the body of a function is a part of its statement.
 */
function statementsOf(text: string): string[] {
  const bare = text
    .replaceAll(/--.*$/gm, '')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(\$\w*\$)[\s\S]*?\1/g, "''")
    .replaceAll(/'(?:[^']|'')*'/g, "''");
  return bare
    .split(';')
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim().toLowerCase())
    .filter((statement) => statement !== '');
}

function madeBy(statement: string): string | undefined {
  return new RegExp(`^create (?:unlogged )?table ${name}`).exec(statement)?.[1];
}

function lockOf(statement: string): TableLock[] {
  for (const [pattern, stops, isLong] of rules) {
    const table = pattern.exec(statement)?.slice(1).at(-1);
    if (table !== undefined) return [{ table, stops, isLong: isLong(statement) }];
  }
  return [];
}

/** Whether a change of a table reads or writes all of its rows. */
function isLongChange(statement: string): boolean {
  if (/\badd constraint\b.*\b(primary key|unique)\b(?!.*\busing index\b)/.test(statement)) return true;
  if (/\badd constraint\b.*\b(check|foreign key)\b/.test(statement) && !/\bnot valid\b/.test(statement)) return true;
  if (/\badd column\b.*(\bgenerated\b|\bserial\b|\bdefault \w+\()/.test(statement)) return true;
  return /\bset not null\b|\balter( column)? \w+ (set data )?type\b|\bset (un)?logged\b/.test(statement);
}
