import { z } from 'zod';
import { OperatorError } from '../../failure';
import type { PostgresConnection } from '../../postgres/client';
import { identify } from '../guard';
import { production } from '../instances';
import type { Changeset, RowChange } from './changeset';
import { keyOf, quoted, rowShape, tableShapes, type TableShape } from './images';

/**
 * Replays a changeset in one transaction: every row it changes or relies on must be as it was when the session began, and
 * every row must end as the changeset says, or nothing happens.
 * @throws OperatorError naming the first row that has moved, or that came out otherwise.
 */
export async function replay(connection: PostgresConnection, changeset: Changeset): Promise<void> {
  const who = await identify(connection);
  if (who.database !== production.instance || !who.production || who.member) {
    throw refused('the credential of the replay', `a user of ${production.instance}`, `a user in ${who.database}`);
  }
  await connection.execute(`begin isolation level serializable; set local role ${quoted(production.ownerRole)}`);
  try {
    const tables = await tableShapes(connection);
    await assertUnmoved(connection, tables, changeset);
    await apply(connection, tables, changeset.changes);
    await moveSequences(connection, changeset);
    await assertResult(connection, tables, changeset.changes);
    await connection.execute('commit');
  } catch (thrown) {
    await connection.execute('rollback').catch(() => undefined);
    throw thrown;
  }
}

async function assertUnmoved(
  connection: PostgresConnection,
  tables: readonly TableShape[],
  changeset: Changeset,
): Promise<void> {
  const expected = [
    ...changeset.changes.map(({ table, key, before }) => ({ table, key, row: before })),
    ...changeset.reliedOn,
  ];
  for (const { table, key, row } of expected) {
    const now = await readRow(connection, shapeOf(tables, table), key);
    if (now === row) continue;
    const what = row === null ? 'is there by now' : now === null ? 'is gone' : 'has been changed since';
    throw refused(`row ${key} of ${table}`, 'as it was when the session began', what);
  }
  for (const [name, { before }] of Object.entries(changeset.sequences)) {
    const [state] = await connection.rows(
      `select last_value || ' ' || is_called as state from public.${quoted(name)}`,
      [],
      z.object({ state: z.string() }),
    );
    if (state?.state !== before) throw refused(`sequence ${name}`, before, state?.state ?? 'gone');
  }
}

/** Made rows come after those they refer to, deleted ones before. */
async function apply(
  connection: PostgresConnection,
  tables: readonly TableShape[],
  changes: readonly RowChange[],
): Promise<void> {
  const of = (table: TableShape): RowChange[] => changes.filter((change) => change.table === table.name);
  for (const table of [...tables].reverse()) {
    for (const { key, after } of of(table)) {
      if (after === null)
        await connection.rows(
          `delete from public.${quoted(table.name)} t where ${keyOf(table)} = $1`,
          [key],
          z.unknown(),
        );
    }
  }
  for (const table of tables) {
    for (const { key, before, after } of of(table)) {
      if (after === null) continue;
      const name = `public.${quoted(table.name)}`;
      if (before === null) {
        await connection.rows(
          `insert into ${name} select * from jsonb_populate_record(null::${name}, $1::jsonb)`,
          [after],
          z.unknown(),
        );
        continue;
      }
      const columns = Object.keys(z.record(z.string(), z.unknown()).parse(JSON.parse(after)))
        .map(quoted)
        .join(', ');
      const sql = `update ${name} t set (${columns}) = (select ${columns} from jsonb_populate_record(null::${name}, $1::jsonb)) where ${keyOf(table)} = $2`;
      await connection.rows(sql, [after, key], z.unknown());
    }
  }
}

/** Sequences go where the session left them, so that the next number of production is the one after. */
async function moveSequences(connection: PostgresConnection, changeset: Changeset): Promise<void> {
  for (const [name, { after }] of Object.entries(changeset.sequences)) {
    const [value, called] = after.split(' ');
    await connection.rows(
      'select setval($1::regclass, $2::bigint, $3::boolean)',
      [`public.${quoted(name)}`, value, called],
      z.unknown(),
    );
  }
}

async function assertResult(
  connection: PostgresConnection,
  tables: readonly TableShape[],
  changes: readonly RowChange[],
): Promise<void> {
  for (const { table, key, after } of changes) {
    const now = await readRow(connection, shapeOf(tables, table), key);
    if (now !== after) throw refused(`the result in row ${key} of ${table}`, after ?? 'deleted', now ?? 'nothing');
  }
}

async function readRow(connection: PostgresConnection, table: TableShape, key: string): Promise<string | null> {
  const sql = `select ${keyOf(table)} as key, to_jsonb(t)::text as row from public.${quoted(table.name)} t where ${keyOf(table)} = $1`;
  return (await connection.rows(sql, [key], rowShape))[0]?.row ?? null;
}

function shapeOf(tables: readonly TableShape[], name: string): TableShape {
  const found = tables.find((table) => table.name === name);
  if (found === undefined) throw refused(`table ${name}`, 'there', 'not in production');
  return found;
}

function refused(what: string, expected: string, seen: string): OperatorError {
  return new OperatorError({
    attempted: 'replay the changeset in production',
    where: what,
    expected: expected.slice(0, 300),
    seen: `${seen.slice(0, 300)}. Nothing was changed in production`,
    next: 'take a new golden, reset the sandbox, rehearse again and review the new changeset.',
    exitCode: 3,
  });
}
