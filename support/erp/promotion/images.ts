import { z } from 'zod';
import type { PostgresConnection } from '../../postgres/client';
import { tablePrefix } from '../instances';

/** Rows of every `llx_*` table by primary key, each as the database writes it in JSON: to the last digit. */
export const imagesShape = z.object({
  rows: z.record(z.string(), z.record(z.string(), z.string())),
  sequences: z.record(z.string(), z.string()),
});
export type Images = z.infer<typeof imagesShape>;

const like = `${tablePrefix.replace('_', '\\_')}%`;

/** A table's primary key and the tables its rows refer to. */
export interface TableShape {
  name: string;
  key: string[];
  refersTo: string[];
}

/** The `llx_*` tables, each after those it refers to. */
export async function tableShapes(connection: PostgresConnection): Promise<TableShape[]> {
  const sql = `select c.relname::text as name,
      coalesce((select array_agg(a.attname::text order by a.attnum) from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
        where i.indrelid = c.oid and i.indisprimary), '{}') as key,
      coalesce((select array_agg(distinct f.confrelid::regclass::text) from pg_constraint f where f.conrelid = c.oid and f.contype = 'f'), '{}') as "refersTo"
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname like $1 order by 1`;
  const shape = z.object({ name: z.string(), key: z.array(z.string()), refersTo: z.array(z.string()) });
  const waiting = await connection.rows(sql, [like], shape);
  const sorted: TableShape[] = [];
  while (waiting.length > 0) {
    const index = waiting.findIndex((one) =>
      one.refersTo.every((other) => other === one.name || !waiting.some(({ name }) => name === other)),
    );
    sorted.push(...waiting.splice(Math.max(index, 0), 1));
  }
  return sorted;
}

/** Reads all rows and sequences, in the caller's transaction. For the thousands of rows of a small company's books. */
export async function readImages(connection: PostgresConnection): Promise<Images> {
  const rows: Images['rows'] = {};
  for (const table of await tableShapes(connection)) {
    rows[table.name] = Object.fromEntries(
      (
        await connection.rows(
          `select ${keyOf(table)} as key, to_jsonb(t)::text as row from public.${quoted(table.name)} t`,
          [],
          rowShape,
        )
      ).map(({ key, row }) => [key, row]),
    );
  }
  return { rows, sequences: await readSequences(connection) };
}

export const rowShape = z.object({ key: z.string(), row: z.string() });

/** An expression that gives a row's primary key as one text. */
export function keyOf({ key }: TableShape): string {
  return key.length === 0
    ? 'md5(t::text)'
    : `jsonb_build_array(${key.map((column) => `t.${quoted(column)}`).join(', ')})::text`;
}

async function readSequences(connection: PostgresConnection): Promise<Record<string, string>> {
  const sql = `select c.relname::text as name from pg_class c where c.relkind = 'S' and c.relnamespace = 'public'::regnamespace and c.relname like $1 order by 1`;
  const names = await connection.rows(sql, [like], z.object({ name: z.string() }));
  if (names.length === 0) return {};
  const each = names.map(
    ({ name }) => `select '${name}' as name, last_value || ' ' || is_called as state from public.${quoted(name)}`,
  );
  const states = await connection.rows(each.join(' union all '), [], z.object({ name: z.string(), state: z.string() }));
  return Object.fromEntries(states.map(({ name, state }) => [name, state]));
}

/** A name as an SQL identifier. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
