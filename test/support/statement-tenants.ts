/** A table with a tenant in it, as one statement refers to it. */
interface Reference {
  table: string;
  /** By which the statement's other parts know it. */
  alias: string;
  /** What stands before it: from, join, update, into or using. */
  word: string;
}

const words =
  'on|where|set|using|join|left|right|full|inner|cross|order|limit|for|values|select|returning|group|union|natural|tablesample|offset|as|default|lateral|having|with|and|or|when|then|else|end|except|intersect|window|fetch|conflict';
const reference = new RegExp(
  `\\b(from|join|update|into|using)\\s+(?:only\\s+)?(\\w+)(?:\\s+(?:as\\s+)?(?!(?:${words})\\b)(\\w+))?`,
  'gi',
);

/** Each table with a tenant to which a statement refers. */
function referencesOf(text: string, tables: ReadonlySet<string>): Reference[] {
  return [...text.matchAll(reference)]
    .filter(([, , table]) => tables.has(table!))
    .map(([, word, table, alias]) => ({
      table: table!,
      alias: alias ?? table!,
      word: word!.toLowerCase(),
    }));
}

/**
 * The tables with a tenant of which a statement does not say whose rows it means, by a parameter: a PostgreSQL that is
 * distributed by tenant could not run it whole where the tenant's rows are. It reads the text as this project writes its
 * statements, and is no parser of SQL.
 * @param tables those with a column tenant_id
 */
export function tablesWithoutTenant(text: string, tables: ReadonlySet<string>): string[] {
  const bare = text.replaceAll(/--[^\n]*/g, ' ').replaceAll(/\s+/g, ' ');
  const isNamed = ({ word, table, alias }: Reference) => {
    if (word === 'into') return new RegExp(`into ${table}[^(]*\\([^)]*tenant_id`, 'i').test(bare);
    return (
      // A place that was found for the tenant.
      new RegExp(`tenant_id = \\$1[^;]*as place[^;]*\\b${alias}\\.ctid = place\\.ctid`, 'i').test(bare) ||
      (word === 'update' && new RegExp(`^update ${table} set .* where tenant_id = \\$\\d`, 'i').test(bare)) ||
      new RegExp(`\\b${alias}\\.tenant_id\\s*=\\s*(any\\s*\\()?\\$\\d`, 'i').test(bare) ||
      // In its own part of the statement, without a name before it.
      new RegExp(`\\b${alias}\\b[^()]*?\\bwhere\\b[^;]*?(?<![.\\w])tenant_id\\s*=\\s*(any\\s*\\()?\\$\\d`, 'i').test(
        bare,
      )
    );
  };
  return referencesOf(bare, tables)
    .filter((one) => !isNamed(one))
    .map(({ table }) => table);
}
