import type { Queryable } from '../../core/index.ts';

/** How a table would be laid out by Citus. */
export interface Layout {
  table: string;
  /**
   * distributed: by the tenant, beside all others of it. reference: whole on every server. local: on the coordinator
   * alone.
   */
  kind: 'distributed' | 'reference' | 'local';
  /** The table's primary key and unique constraints, each as its columns. */
  keys: string[];
  /** What must change before Citus takes it; empty where nothing must. */
  obstacles: string[];
}

/** Tables that every server has whole: few rows, seldom written, and asked for before the tenant is known. */
const references = new Set(['tenants', 'code_secrets', 'kysely_migration', 'kysely_migration_lock']);

/**
 * Every table of a database with its place in one that is distributed by tenant. Partitions follow their table.
 * @param db a connection that may read the catalogue; nothing is changed
 */
export async function listTables(db: Queryable): Promise<Layout[]> {
  const { rows } = await db.query<Row>({ name: 'layout-of-tables', text, values: [] });
  return rows.map(layoutOf);
}

interface Row {
  table: string;
  hasTenant: boolean;
  isLogged: boolean;
  keys: string[];
  smallIdentities: string[];
}

function layoutOf({ table, hasTenant, isLogged, keys, smallIdentities }: Row): Layout {
  const kind = references.has(table) ? 'reference' : hasTenant && isLogged ? 'distributed' : 'local';
  const apart = keys.filter((key) => !key.split(', ').includes('tenant_id'));
  const obstacles =
    kind === 'distributed'
      ? [
          ...apart.map((key) => `unique (${key}) must hold tenant_id`),
          ...smallIdentities.map((column) => `${column}: an identity below bigint is made on the coordinator alone`),
        ]
      : [];
  return { table, kind, keys, obstacles };
}

const text = `
  select c.relname as "table",
    c.relpersistence = 'p' as "isLogged",
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
      as "hasTenant",
    array(
      select (select string_agg(a.attname, ', ' order by k.n)
              from unnest(i.indkey::int2[]) with ordinality k (number, n)
              join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number)
      from pg_index i where i.indrelid = c.oid and i.indisunique order by i.indisprimary desc, 1)::text[] as keys,
    array(
      select a.attname from pg_attribute a
      where a.attrelid = c.oid and a.attidentity <> '' and a.atttypid <> 'bigint'::regtype order by 1)::text[]
      as "smallIdentities"
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  order by c.relname`;
