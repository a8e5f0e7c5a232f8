import { z } from 'zod';
import { OperatorError } from '../../failure';
import { hashOf } from '../checks/snapshot';
import type { Images } from './images';

/** One row that a session changed: absent before (made) or after (deleted). Rows are JSON as Postgres writes it. */
const changeShape = z.object({
  table: z.string(),
  key: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});
export type RowChange = z.infer<typeof changeShape>;

/** Everything a session changed, from the database and not from anybody's word. */
export const changesetShape = z.object({
  format: z.literal(1),
  /** The golden the session began from. */
  golden: z.string(),
  /** ISO 8601. */
  began: z.string(),
  ended: z.string(),
  changes: z.array(changeShape),
  /** Rows that changed ones refer to and that the session left alone: what it relied on. */
  reliedOn: z.array(z.object({ table: z.string(), key: z.string(), row: z.string() })),
  sequences: z.record(z.string(), z.object({ before: z.string(), after: z.string() })),
  /** SHA-256 of all of the above. */
  hash: z.string(),
});
export type Changeset = z.infer<typeof changesetShape>;

/** Who may do what, and settings: they differ between the instances, and no agent may promote them. */
const notPromotable = ['llx_user', 'llx_user_rights', 'llx_rights_def', 'llx_const'];

/** References by column, as Dolibarr names them. */
const references: Record<string, string> = {
  fk_soc: 'llx_societe',
  fk_facture: 'llx_facture',
  fk_facture_fourn: 'llx_facture_fourn',
  fk_product: 'llx_product',
  fk_paiement: 'llx_paiement',
};

/** Compares what was there when a session began and when it ended. @throws OperatorError when it changed what cannot be promoted */
export function changesetOf(
  session: { golden: string; began: string; ended: string },
  before: Images,
  after: Images,
): Changeset {
  const tables = [...new Set([...Object.keys(before.rows), ...Object.keys(after.rows)])].sort();
  const changes = tables.flatMap((table) => rowChanges(table, before.rows[table] ?? {}, after.rows[table] ?? {}));
  const forbidden = [...new Set(changes.map(({ table }) => table).filter((table) => notPromotable.includes(table)))];
  if (forbidden.length > 0) {
    throw new OperatorError({
      attempted: 'make a changeset of the session',
      expected: `no change of ${notPromotable.join(', ')}`,
      seen: forbidden.join(', '),
      next: 'reset the sandbox and rehearse without touching users, rights and settings.',
    });
  }
  const sequences = Object.fromEntries(
    Object.entries(after.sequences)
      .filter(([name, state]) => before.sequences[name] !== state)
      .map(([name, state]) => [name, { before: before.sequences[name] ?? '', after: state }]),
  );
  const body = { format: 1 as const, ...session, changes, reliedOn: reliedOn(changes, before), sequences };
  return { ...body, hash: hashOf(body) };
}

function rowChanges(table: string, before: Record<string, string>, after: Record<string, string>): RowChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys
    .filter((key) => before[key] !== after[key])
    .map((key) => ({ table, key, before: before[key] ?? null, after: after[key] ?? null }));
}

function reliedOn(changes: readonly RowChange[], before: Images): Changeset['reliedOn'] {
  const found = new Map<string, Changeset['reliedOn'][number]>();
  for (const { after } of changes) {
    const row = z.record(z.string(), z.unknown()).parse(JSON.parse(after ?? '{}'));
    for (const [column, table] of Object.entries(references)) {
      const key = `[${String(row[column])}]`;
      const referred = before.rows[table]?.[key];
      const changed = changes.some((change) => change.table === table && change.key === key);
      if (typeof row[column] === 'number' && referred !== undefined && !changed)
        found.set(`${table} ${key}`, { table, key, row: referred });
    }
  }
  return [...found.values()];
}

/** Reads a changeset and holds it against its own hash. @throws OperatorError when it was changed after it was made */
export function readChangeset(text: string, where: string): Changeset {
  const parsed = changesetShape.safeParse(parseJson(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new OperatorError({
      attempted: 'read the changeset',
      where,
      expected: 'a changeset of format 1',
      seen: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
      next: 'make it anew with `npm run erp -- session-end`.',
      exitCode: 2,
    });
  }
  const { hash, ...body } = parsed.data;
  const actual = hashOf(body);
  if (actual === hash) return parsed.data;
  throw new OperatorError({
    attempted: 'use the changeset',
    where,
    expected: `what its hash ${hash.slice(0, 12)} says`,
    seen: `something else (${actual.slice(0, 12)}): it was changed after it was made`,
    next: 'rehearse anew; a changeset is never edited.',
    exitCode: 3,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A changeset for a person's eyes: every row, and of changed ones every column with both values. */
export function reviewText(changeset: Changeset): string {
  const lines = changeset.changes.map(({ table, key, before, after }) => {
    if (before === null) return `+ ${table} ${key}  ${after ?? ''}`;
    if (after === null) return `- ${table} ${key}  ${before}`;
    const [was, is] = [record(before), record(after)];
    const columns = Object.keys(is).filter((column) => JSON.stringify(was[column]) !== JSON.stringify(is[column]));
    return [
      `~ ${table} ${key}`,
      ...columns.map((column) => `    ${column}: ${JSON.stringify(was[column])} -> ${JSON.stringify(is[column])}`),
    ].join('\n');
  });
  const count = (sign: string): number => lines.filter((line) => line.startsWith(sign)).length;
  return [
    ...lines,
    `${count('+')} made, ${count('~')} changed, ${count('-')} deleted; relies on ${changeset.reliedOn.length} other rows; golden ${changeset.golden}`,
    `changeset ${changeset.hash}`,
  ].join('\n');
}

function record(row: string): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(row));
}

/** What takes a changeset back. */
export function inverseOf(changeset: Changeset): Changeset {
  const { hash: _, ...body } = changeset;
  const inverse = {
    ...body,
    changes: body.changes.map((change) => ({ ...change, before: change.after, after: change.before })),
    reliedOn: [],
    sequences: Object.fromEntries(
      Object.entries(body.sequences).map(([name, { before, after }]) => [name, { before: after, after: before }]),
    ),
  };
  return { ...inverse, hash: hashOf(inverse) };
}
