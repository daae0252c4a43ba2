/** A table with a tenant in it, as one statement refers to it. */
interface Reference {
  table: string;
  /** By which the statement's other parts know it. */
  alias: string;
  /** What stands before it: from, join, update, into or using. */
  word: string;
}

const words =
  'on|where|set|using|join|left|right|full|inner|cross|order|limit|for|values|select|returning|group|union|natural|tablesample|offset|as|default|lateral|having|with|and|or|when|then|else|end|except|intersect|window|fetch|conflict|overriding';
const reference = new RegExp(
  `\\b(from|join|update|into|using)\\s+(?:only\\s+)?(\\w+)(?:\\s+(?:as\\s+)?(?!(?:${words})\\b)(\\w+))?`,
  'gi',
);

/** Each table with a tenant to which a part of a statement refers. */
function referencesOf(text: string, tables: ReadonlySet<string>): Reference[] {
  return [...text.matchAll(reference)]
    .filter(([, , table]) => tables.has(table!))
    .map(([, word, table, alias]) => ({
      table: table!,
      alias: alias ?? table!,
      word: word!.toLowerCase(),
    }));
}

const beginning = /^\(\s*(select|with|insert|update|delete|values)\b/i;
const innermost = /\([^()]*\)/;
const setOperation = /\b(?:union|except|intersect)\b(?: all\b)?/i;

/**
 * The parts of a statement that each have a `where` of their own: itself, every query in parentheses, and every arm of
 * a union. What is in parentheses within a part is a part of its own, and stands in it no more.
 */
function partsOf(statement: string): string[] {
  const parts: string[] = [];
  let text = statement;
  for (;;) {
    const found = innermost.exec(text);
    if (found === null) break;
    const [group] = found;
    const isQuery = beginning.test(group);
    if (isQuery) parts.push(...group.slice(1, -1).split(setOperation));
    // What is no query belongs to the part around it. Its parentheses would be found again.
    const left = isQuery ? ' ‹query› ' : `‹${group.slice(1, -1)}›`;
    text = text.slice(0, found.index) + left + text.slice(found.index + group.length);
  }
  return [...parts, ...text.split(setOperation)];
}

const byParameter = String.raw`tenant_id\s*=\s*(?:any\s*‹\s*)?\$\d`;

/** Whether the part of a statement in which a table stands says by a parameter whose rows of it are meant. */
function isNamed({ word, table, alias }: Reference, part: string, references: readonly Reference[]): boolean {
  if (word === 'into') return new RegExp(`into ${table}\\b[^‹]*‹[^›]*\\btenant_id\\b`, 'i').test(part);
  if (new RegExp(`\\b${alias}\\.${byParameter}`, 'i').test(part)) return true;
  // Without a name before it, where the part has no other table that it could be of.
  const isAlone = references.filter((one) => one.word !== 'into').length === 1;
  return isAlone && new RegExp(`(?<![.\\w])${byParameter}`, 'i').test(part);
}

/** The parts of a statement in each of which some tables do not say by a parameter whose rows are meant. */
function partsWithoutTenant(text: string, tables: ReadonlySet<string>): { part: string; without: string[] }[] {
  const bare = text
    .replaceAll(/--[^\n]*/g, ' ')
    .replaceAll(/'[^']*'/g, "''")
    .replaceAll(/\s+/g, ' ');
  return partsOf(bare).map((part) => {
    const references = referencesOf(part, tables);
    return { part, without: references.filter((one) => !isNamed(one, part, references)).map(({ table }) => table) };
  });
}

/**
 * The tables with a tenant of which a statement does not say whose rows it means, by a parameter, where the table
 * stands: a PostgreSQL that is distributed by tenant could not run it whole where the tenant's rows are. It reads the
 * text as this project writes its statements, and is no parser of SQL.
 * @param tables those with a column tenant_id
 */
export function tablesWithoutTenant(text: string, tables: ReadonlySet<string>): string[] {
  return partsWithoutTenant(text, tables).flatMap(({ without }) => without);
}

/** Those of them whose rows it locks (`for update` and its kin). */
export function lockedWithoutTenant(text: string, tables: ReadonlySet<string>): string[] {
  const isLocking = (part: string) => /\bfor (no key )?(update|share)\b/i.test(part);
  return partsWithoutTenant(text, tables).flatMap(({ part, without }) => (isLocking(part) ? without : []));
}
