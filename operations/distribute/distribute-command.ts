import { ConfigError, openPool, readDatabase } from '../../core/index.ts';
import { type Layout, listTables } from './list-tables.ts';

const usage = `distribute --dry-run

Says of each table of the database that DATABASE_URL or DB_HOST names where it would be in a PostgreSQL that is distributed
by tenant (Citus), and what stands in the way. Nothing is changed; docs/beyond-one-database.md says why there is nothing but
the dry run.`;

/** One table in a line. */
function lineOf({ table, kind, reason, keys, foreignKeys, obstacles }: Layout): string {
  const by = kind === 'distributed' ? ' by tenant_id' : '';
  const told = [...keys.map((key) => `(${key})`), ...foreignKeys.map((key) => `[${key}]`)].join(' ');
  const why = reason === '' ? '' : `; ${reason}`;
  const mend = obstacles.length === 0 ? '' : `; to be changed: ${obstacles.join('; ')}`;
  return `${table.padEnd(22)} ${`${kind}${by}`.padEnd(26)} ${told}${why}${mend}`.trimEnd();
}

/** How many tables are where, and whether each key holds the tenant. */
function summaryOf(layouts: readonly Layout[]): string {
  const count = (kind: Layout['kind']) => layouts.filter((layout) => layout.kind === kind).length;
  const inTheWay = layouts.filter(({ obstacles }) => obstacles.length > 0).map(({ table }) => table);
  const rest = inTheWay.length === 0 ? 'nothing is to be changed' : `to be changed: ${inTheWay.join(', ')}`;
  return `\n(columns) is a unique key and [columns → table] a foreign key. ${count('distributed')} distributed, ${count('reference')} reference, ${count('local')} local; ${rest}`;
}

if (process.argv.includes('--help')) {
  console.log(usage);
  process.exit(0);
}
if (process.argv.slice(2).join(' ') !== '--dry-run') {
  console.error('npm run distribute -- --dry-run: there is nothing else that it does');
  process.exit(2);
}
try {
  const pool = openPool(readDatabase(process.env), {
    max: 1,
    applicationName: 'qurable distribute',
    onError: () => {},
  });
  const layouts = await listTables(pool).finally(() => pool.end());
  for (const layout of layouts) console.log(lineOf(layout));
  console.log(summaryOf(layouts));
} catch (error) {
  console.error(
    error instanceof ConfigError ? error.message : `distribute: ${(error as Error).message.replaceAll(/\s+/g, ' ')}`,
  );
  process.exit(1);
}
