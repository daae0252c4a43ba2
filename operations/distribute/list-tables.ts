import type { Queryable } from '../../core/index.ts';

/** How a table would be laid out by Citus. */
export interface Layout {
  table: string;
  /**
   * distributed: by the tenant, beside all others of it. reference: whole on every server. local: on the coordinator
   * alone.
   */
  kind: 'distributed' | 'reference' | 'local';
  /** Why it is not distributed; empty where it is. */
  reason: string;
  /** The table's primary key, unique constraints and unique indexes, each as its columns. */
  keys: string[];
  /** The table's foreign keys, each as its columns and the table that they refer to. */
  foreignKeys: string[];
  /** What must change before Citus takes it; empty where nothing must. */
  obstacles: string[];
}

/** Tables that every server has whole: few rows, seldom written, or asked for before the tenant is known. */
const references: Readonly<Record<string, string>> = {
  tenants: 'a row a tenant, found by its slug before the tenant is known',
  code_secrets: 'a row a version of CODE_SECRET, read at the start of a process',
  console_sessions: 'found by their secret, before the tenant is known',
  console_people: 'read beside console_sessions',
  api_keys: 'a few rows a tenant, read beside console_sessions too',
  console_links: 'found by their secret; of no tenant',
  settled_events: 'one row: how far the events of all tenants are settled',
  counted_events: 'one row: how far the events of all tenants are counted',
  webhook_events: 'one row: how far the events of all tenants are handed on',
  stock_watch: 'one row: since when the stock of all books is watched',
  kysely_migration: 'the migrator’s own',
  kysely_migration_lock: 'the migrator’s own',
};

/** Tables that stay where the statement is sent to. */
const locals: Readonly<Record<string, string>> = {
  failed_lookups: 'unlogged: a server that is asked keeps its own count of failures, and loses it in a crash',
};

/**
 * Every table of a database with its place in one that is distributed by tenant. Partitions follow their table.
 * @param db a connection that may read the catalogue; nothing is changed
 */
export async function listTables(db: Queryable): Promise<Layout[]> {
  const { rows } = await db.query<Row>({ name: 'layout-of-tables', text, values: [] });
  const kinds = new Map(rows.map((row) => [row.table, kindOf(row)]));
  return rows.map((row) => layoutOf(row, kinds));
}

interface ForeignKey {
  columns: string[];
  table: string;
  referred: string[];
}

interface Row {
  table: string;
  hasTenant: boolean;
  keys: string[];
  foreignKeys: ForeignKey[];
  smallIdentities: string[];
}

function kindOf({ table, hasTenant }: Row): Layout['kind'] {
  if (table in references) return 'reference';
  if (table in locals) return 'local';
  return hasTenant ? 'distributed' : 'local';
}

function layoutOf(row: Row, kinds: ReadonlyMap<string, Layout['kind']>): Layout {
  const { table, keys, foreignKeys } = row;
  const kind = kindOf(row);
  return {
    table,
    kind,
    reason: references[table] ?? locals[table] ?? (kind === 'local' ? 'it has no column tenant_id' : ''),
    keys,
    foreignKeys: foreignKeys.map((key) => `${key.columns.join(', ')} → ${key.table}`),
    obstacles: kind === 'distributed' ? obstaclesOf(row, kinds) : obstaclesOfWhole(row, kinds),
  };
}

function obstaclesOf(
  { keys, foreignKeys, smallIdentities }: Row,
  kinds: ReadonlyMap<string, Layout['kind']>,
): string[] {
  const apart = keys.filter((key) => !key.split(', ').includes('tenant_id'));
  return [
    ...apart.map((key) => `unique (${key}) must hold tenant_id`),
    ...foreignKeys
      .filter((key) => !isBesideItsRow(key, kinds))
      .map((key) => `the foreign key to ${key.table} must hold tenant_id on both sides`),
    ...smallIdentities.map((column) => `${column}: an identity below bigint is made on the coordinator alone`),
  ];
}

/** Whether the row that a distributed one refers to is on the same server. */
function isBesideItsRow({ columns, table, referred }: ForeignKey, kinds: ReadonlyMap<string, Layout['kind']>): boolean {
  const at = columns.indexOf('tenant_id');
  return kinds.get(table) === 'reference' || (at >= 0 && referred[at] === 'tenant_id');
}

/** A table that is whole on every server can't refer to rows of which each is on one. */
function obstaclesOfWhole({ foreignKeys }: Row, kinds: ReadonlyMap<string, Layout['kind']>): string[] {
  return foreignKeys
    .filter((key) => kinds.get(key.table) === 'distributed')
    .map((key) => `it can't refer to ${key.table}, which is distributed`);
}

const columnsOf = (numbers: string, table: string) =>
  `(select array_agg(a.attname::text order by k.n) from unnest(${numbers}) with ordinality k (number, n)
      join pg_attribute a on a.attrelid = ${table} and a.attnum = k.number)`;

const text = `
  select c.relname as "table",
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
      as "hasTenant",
    array(
      select array_to_string(${columnsOf('i.indkey::int2[]', 'c.oid')}, ', ')
      from pg_index i where i.indrelid = c.oid and i.indisunique order by i.indisprimary desc, 1)::text[] as keys,
    (select coalesce(jsonb_agg(jsonb_build_object('columns', ${columnsOf('f.conkey', 'f.conrelid')},
        'table', r.relname, 'referred', ${columnsOf('f.confkey', 'f.confrelid')}) order by f.conname), '[]')
      from pg_constraint f join pg_class r on r.oid = f.confrelid
      where f.conrelid = c.oid and f.contype = 'f') as "foreignKeys",
    array(
      select a.attname from pg_attribute a
      where a.attrelid = c.oid and a.attidentity <> '' and a.atttypid <> 'bigint'::regtype order by 1)::text[]
      as "smallIdentities"
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  order by c.relname`;
