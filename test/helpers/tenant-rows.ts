import type { Pool } from 'pg';

/** All rows of all tables that hold one of the ids, by table. */
export type RowsByTable = ReadonlyMap<string, readonly string[]>;

/** What changes in a tenant's rows while nobody does anything. */
const volatile = ['last_heartbeat_at', 'last_used_at'];

/** Not a tenant's: who owns a shard, and how many. */
const common = ['shard', 'signing_key'];

/** Every table of the schema that has ids, with the columns that hold them; as the schema has it, so that a new table is among them. */
async function idColumns(pool: Pool): Promise<Map<string, string[]>> {
  const { rows } = await pool.query<{ table: string; column: string }>(`
    SELECT c.table_name AS table, c.column_name AS column
    FROM information_schema.columns c JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = 'public'::regnamespace
    WHERE c.table_schema = 'public' AND c.udt_name = 'uuid' AND NOT t.relispartition ORDER BY 1, 2`);
  const columns = new Map<string, string[]>();
  for (const { table, column } of rows)
    if (!common.includes(table)) columns.set(table, [...(columns.get(table) ?? []), column]);
  return columns;
}

/** What the tables are that `idsOf` and `rowsWith` look at. */
export async function tablesWithIds(pool: Pool): Promise<string[]> {
  return [...(await idColumns(pool)).keys()];
}

/**
 * All ids in a tenant's rows: of its own, and of what belongs to those. The audit log does not count, since it names tokens
 * of the past.
 */
export async function idsOf(pool: Pool, tenantId: string): Promise<Set<string>> {
  const columns = await idColumns(pool);
  columns.delete('audit_line');
  const ids = new Set([tenantId]);
  for (let before = 0; before < ids.size;) {
    before = ids.size;
    for (const [table, names] of columns) {
      const { rows } = await pool.query<Record<string, string | null>>(
        `SELECT ${names.join(', ')} FROM ${table} WHERE ${names.map((name) => `${name} = ANY ($1::uuid[])`).join(' OR ')}`,
        [[...ids]],
      );
      for (const row of rows) for (const id of Object.values(row)) if (id !== null) ids.add(id);
    }
  }
  return ids;
}

/** The rows in which any of the ids stands, of every table, but for what changes by itself. */
export async function rowsWith(pool: Pool, ids: ReadonlySet<string>): Promise<RowsByTable> {
  const found = new Map<string, string[]>();
  for (const [table, names] of await idColumns(pool)) {
    const { rows } = await pool.query<{ row: string }>(
      `SELECT (to_jsonb(x) - $2::text[])::text AS row FROM ${table} x WHERE ${names.map((name) => `x.${name} = ANY ($1::uuid[])`).join(' OR ')} ORDER BY 1`,
      [[...ids], volatile],
    );
    if (rows.length > 0)
      found.set(
        table,
        rows.map(({ row }) => row),
      );
  }
  return found;
}
