import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PostgresClient, PostgresConnection } from '../postgres/client';
import { tablePrefix } from './instances';

/** What a database's `llx_*` objects hold, as hashes: equal ones hold the same, to the last column and sequence. */
export const contentShape = z.object({
  /** By table: number of rows and a hash over every column of every row, in whatever order they lie. */
  tables: z.record(z.string(), z.object({ rows: z.string(), hash: z.string() })),
  /** By sequence: its last value, whether it was called, and how it counts. */
  sequences: z.record(z.string(), z.string()),
  /** Columns, types, defaults, constraints, indexes, triggers and who owns which sequence. No owners: they differ by instance. */
  schema: z.string(),
  /** Over all of the above. */
  total: z.string(),
});
export type Content = z.infer<typeof contentShape>;

/** A table of a million rows takes seconds; a lost server must still end it. Milliseconds. */
const queryTimeoutMs = 30 * 60_000;

const like = `${tablePrefix.replace('_', '\\_')}%`;

/** Output of values must not depend on the session. */
const settings = `set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local timezone = 'UTC';
  set local bytea_output = 'hex'; set local extra_float_digits = 1; set local lc_monetary = 'C'; set local xmloption = 'content';
  set local max_parallel_workers_per_gather = 2`;

const tablesSql = `select c.relname::text as name, pg_relation_size(c.oid)::float8 as bytes from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname like $1 order by 2 desc, 1`;

const schemaSql = `select 'column ' || c.relname || ' ' || row_number() over (partition by c.oid order by a.attnum) || ' ' || a.attname || ' ' ||
    format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || a.attidentity::text || a.attgenerated::text || ' ' ||
    coalesce(pg_get_expr(d.adbin, d.adrelid), '') || ' ' || coalesce((select collname from pg_collation where oid = a.attcollation), '') as line
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and c.relname like $1
  union all select 'constraint ' || c.relname || ' ' || o.conname || ' ' || o.convalidated || ' ' || pg_get_constraintdef(o.oid)
  from pg_constraint o join pg_class c on c.oid = o.conrelid where c.relnamespace = 'public'::regnamespace and c.relname like $1
  union all select 'index ' || pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid from pg_index i join pg_class c on c.oid = i.indrelid
  where c.relnamespace = 'public'::regnamespace and c.relname like $1
  union all select 'trigger ' || pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = 'public'::regnamespace and c.relname like $1 and not t.tgisinternal
  union all select 'owned ' || s.relname || ' by ' || d.refobjid::regclass || '.' || d.refobjsubid from pg_class s
  join pg_depend d on d.objid = s.oid and d.deptype in ('a', 'i') and d.refclassid = 'pg_class'::regclass
  where s.relkind = 'S' and s.relnamespace = 'public'::regnamespace and s.relname like $1`;

const sequencesSql = `select s.sequencename::text as name, concat_ws(' ', s.data_type, s.start_value, s.min_value, s.max_value, s.increment_by,
    s.cycle, s.cache_size) as rule from pg_sequences s where s.schemaname = 'public' and s.sequencename like $1`;

/**
 * Hashes what the `llx_*` objects of a database hold, inside the database and in one snapshot: rows are never sent, tables
 * are read side by side and each by parallel workers. Two hashes of 64 bits of every row, over all its columns, are added up, so that their order does not matter and equal rows do not cancel out. It finds changes; it is no defence
 * against somebody who builds rows to collide.
 * @param withSnapshot called while the snapshot is open, to dump exactly what was hashed.
 * @throws ProductError with the SQLSTATE
 */
export async function hashContent(
  postgres: PostgresClient,
  database: string,
  options: { workers?: number; withSnapshot?: (snapshot: string) => Promise<void> } = {},
): Promise<Content> {
  return postgres.connected(database, (lead) => hashFrom(lead, postgres, database, options), queryTimeoutMs);
}

async function hashFrom(
  lead: PostgresConnection,
  postgres: PostgresClient,
  database: string,
  options: { workers?: number; withSnapshot?: (snapshot: string) => Promise<void> },
): Promise<Content> {
  await lead.execute(`begin isolation level repeatable read read only; ${settings}`);
  const [row] = await lead.rows('select pg_export_snapshot() as id', [], z.object({ id: z.string() }));
  const snapshot = row?.id ?? '';
  const waiting = await lead.rows(tablesSql, [like], z.object({ name: z.string(), bytes: z.number() }));
  const tables: Content['tables'] = {};
  // Opening a connection costs more than hashing a small table.
  const bytes = waiting.reduce((sum, table) => sum + table.bytes, 0);
  const helpers = bytes < 4 * 1024 * 1024 ? 0 : (options.workers ?? 2) - 1;
  const drain = async (connection: PostgresConnection): Promise<void> => {
    for (let table = waiting.shift(); table !== undefined; table = waiting.shift()) {
      tables[table.name] = await hashTable(connection, table.name);
    }
  };
  const help = (): Promise<void> =>
    postgres.connected(
      database,
      async (connection) => {
        await connection.execute(
          `begin isolation level repeatable read read only; set transaction snapshot '${snapshot}'; ${settings}`,
        );
        await drain(connection);
      },
      queryTimeoutMs,
    );
  await Promise.all([drain(lead), ...Array.from({ length: helpers }, help)]);
  const lines = await lead.rows(schemaSql, [like], z.object({ line: z.string() }));
  const sequences = await hashSequences(lead, like);
  await options.withSnapshot?.(snapshot);
  await lead.execute('commit');
  const schema = digest(lines.map(({ line }) => line).sort());
  return { tables, sequences, schema, total: totalOf({ tables, sequences, schema }) };
}

/**
 * How each column of a table enters its rows' hashes. Types whose own hash tells every value from every other enter as they
 * are, which costs a quarter of writing them out; text by its bytes, whatever its collation calls equal; all others, such as
 * numbers without a fixed scale (1.0 and 1.00 hash the same) and JSON, as the text that Postgres writes.
 */
const columnsSql = `select case
      when t.typname in ('bool', 'int2', 'int4', 'int8', 'oid', 'date', 'timestamp', 'timestamptz', 'time', 'uuid', 'bytea')
        or (t.typname = 'numeric' and a.atttypmod >= 0) then format('%I', a.attname)
      when t.typname in ('text', 'varchar') then format('%I collate "C"', a.attname)
      else format('%I::text collate "C"', a.attname) end as expression
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  where a.attrelid = format('public.%I', $1::text)::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`;

async function hashTable(connection: PostgresConnection, table: string): Promise<{ rows: string; hash: string }> {
  const columns = await connection.rows(columnsSql, [table], z.object({ expression: z.string() }));
  const row = `row(${columns.map(({ expression }) => expression).join(', ')})`;
  const sum = (seed: number): string => `coalesce(sum(hash_record_extended(line, ${seed})), 0)::text`;
  const sql = `select count(*)::text as rows, ${sum(1)} as one, ${sum(2)} as other
    from (select ${row} as line from public."${table.replaceAll('"', '""')}") written`;
  const shape = z.object({ rows: z.string(), one: z.string(), other: z.string() });
  const [found] = await connection.rows(sql, [], shape);
  return { rows: found?.rows ?? '0', hash: digest([found?.rows ?? '', found?.one ?? '', found?.other ?? '']) };
}

/**
 * As a content, but only these tables are read anew, and all sequences: for what wrote to nothing else.
 * @throws ProductError with the SQLSTATE
 */
export async function rehash(
  connection: PostgresConnection,
  content: Content,
  tables: readonly string[],
): Promise<Content> {
  const now: Omit<Content, 'total'> = { ...content, tables: { ...content.tables } };
  await connection.execute(`begin isolation level repeatable read read only; ${settings}`);
  for (const table of tables) now.tables[table] = await hashTable(connection, table);
  now.sequences = await hashSequences(connection, like);
  await connection.execute('commit');
  return { ...now, total: totalOf(now) };
}

async function hashSequences(connection: PostgresConnection, like: string): Promise<Content['sequences']> {
  const rules = await connection.rows(sequencesSql, [like], z.object({ name: z.string(), rule: z.string() }));
  if (rules.length === 0) return {};
  const each = rules.map(({ name }) => {
    const quoted = name.replaceAll('"', '""');
    return `select '${name.replaceAll("'", "''")}' as name, last_value || ' ' || is_called as state from public."${quoted}"`;
  });
  const states = await connection.rows(each.join(' union all '), [], z.object({ name: z.string(), state: z.string() }));
  const rule = new Map(rules.map((one) => [one.name, one.rule]));
  return Object.fromEntries(
    states.map(({ name, state }): [string, string] => [name, `${state} (${rule.get(name)})`]).sort(byName),
  );
}

/** The one hash of all parts. */
export function totalOf(content: Omit<Content, 'total'>): string {
  const tables = Object.entries(content.tables)
    .sort(byName)
    .map(([name, { rows, hash }]) => `table ${name} ${rows} ${hash}`);
  const sequences = Object.entries(content.sequences)
    .sort(byName)
    .map(([name, state]) => `sequence ${name} ${state}`);
  return digest([...tables, ...sequences, `schema ${content.schema}`]);
}

/** The parts in which two contents differ: names of tables and sequences, and `schema`. */
export function differences(one: Content, other: Content): string[] {
  const names = (key: 'tables' | 'sequences'): string[] => {
    const all = [...new Set([...Object.keys(one[key]), ...Object.keys(other[key])])].sort();
    return all.filter((name) => JSON.stringify(one[key][name]) !== JSON.stringify(other[key][name]));
  };
  return [...names('tables'), ...names('sequences'), ...(one.schema === other.schema ? [] : ['schema'])];
}

function byName(one: readonly [string, unknown], other: readonly [string, unknown]): number {
  return one[0] < other[0] ? -1 : 1;
}

function digest(lines: readonly string[]): string {
  // JSON keeps apart what a plain join would run together.
  return createHash('sha256').update(JSON.stringify(lines)).digest('hex');
}
