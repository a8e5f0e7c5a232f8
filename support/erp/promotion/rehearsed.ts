import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../../command';
import { reason } from '../../failure';
import { compare, type Finding } from '../../finding';
import { projectRoot } from '../../paths';
import type { PostgresConnection } from '../../postgres/client';
import type { Systems } from '../../systems';
import { erpCommand, erpScript } from '../checks/commands';
import { differences, type Content } from '../content-hash';
import { withLease } from '../credentials';
import { production, sandbox } from '../instances';
import { readChangeset, reviewText, type Changeset } from './changeset';
import { readImages } from './images';
import { forgetPromotion, promote } from './promote';
import { replay } from './replay';
import { question, writePrivate } from './session';

/** What became of a promotion that the suite confirms in a person's place: `replayed`, or why not. */
export function outcomeOf(systems: Systems, changeset: Changeset, confirmation: string): Promise<string> {
  const person = { present: true, confirm: () => Promise.resolve(confirmation) };
  return promote(systems, changeset, person).then(() => 'replayed', reason);
}

/** Takes a rehearsed promotion back, if it came to one. */
export function takenBack(systems: Systems, changeset: Changeset, inverse: Changeset): () => Promise<void> {
  return async () => {
    await forgetPromotion(systems, changeset.hash);
    // Refused where nothing was replayed: then there is nothing to take back, which the next look at the rows says.
    const outcome = await outcomeOf(systems, inverse, inverse.hash);
    await forgetPromotion(systems, inverse.hash);
    const first = changeset.changes[0];
    if (outcome === 'replayed' || first === undefined) return;
    const { rows } = await productionImages(systems);
    if ((rows[first.table]?.[first.key] ?? null) !== first.before) throw new Error(outcome);
  };
}

function productionImages({ vault, inventory }: Systems): ReturnType<typeof readImages> {
  return withLease(vault, inventory, 'postgres/creds/erp-golden', (postgres) =>
    postgres.connected(production.instance, readImages),
  );
}

/** Whether a changeset has every kind of change. */
export function kindsOfChanges({ changes }: Changeset): Finding[] {
  const count = (of: (change: Changeset['changes'][number]) => boolean): string => (changes.some(of) ? 'some' : 'none');
  return [
    compare(
      'rows made',
      'some',
      count(({ before, after }) => before === null && after !== null),
      'changeset',
    ),
    compare(
      'rows changed',
      'some',
      count(({ before, after }) => before !== null && after !== null),
      'changeset',
    ),
    compare(
      'rows deleted',
      'some',
      count(({ before, after }) => before !== null && after === null),
      'changeset',
    ),
  ];
}

/** Whether the review shows a changed column of a row such as `llx_societe [2]`. */
export function shows(changeset: Changeset, column: string, row: string): Finding {
  const text = reviewText(changeset);
  const part = text.split(/^(?=[+~-] )/m).find((one) => one.startsWith(`~ ${row}\n`));
  const seen = part?.includes(`    ${column}: `) === true ? 'shown' : 'not shown';
  return compare(`${column} of ${row}`, 'shown', seen, 'the review');
}

/** Whether production's rows are the changeset's. */
export async function rowsInProduction(systems: Systems, { changes }: Changeset): Promise<Finding[]> {
  const { rows } = await productionImages(systems);
  return changes.map(({ table, key, after }) =>
    compare(`${table} ${key}`, after ?? 'deleted', rows[table]?.[key] ?? 'deleted', 'production’s database'),
  );
}

/** Whether nothing but the changeset's tables and sequences is different in production. */
export function onlyThese(changeset: Changeset, before: Content, after: Content): Finding {
  const allowed = [
    ...new Set([...changeset.changes.map(({ table }) => table), ...Object.keys(changeset.sequences)]),
  ].sort();
  return compare(
    'changed parts of production',
    allowed.join(', '),
    differences(before, after).sort().join(', '),
    'content hashes',
  );
}

/** Whether neither the role in Vault nor a user at Postgres is left of a replay. */
export async function credentialGone({ vault, postgres }: Systems): Promise<Finding[]> {
  const roles = await vault.list('postgres/roles');
  const sql = "select count(*)::text as users from pg_roles where rolname like 'v-%-erp-prom%'";
  const [row] = await postgres.rows('postgres', sql, [], z.object({ users: z.string() }));
  return [
    compare(
      'Vault’s role for promotion',
      'gone',
      roles.includes('erp-promotion') ? 'there' : 'gone',
      'LIST postgres/roles',
    ),
    compare('users leased for promotion', '0', row?.users ?? '', 'pg_roles'),
  ];
}

/** What reading a changeset says of which one letter was changed. */
export function readChanged(changeset: Changeset): string {
  const text = JSON.stringify(changeset).replace('Atelier d’essai', 'Atelier d’essay');
  try {
    return readChangeset(text, 'the changed changeset').hash;
  } catch (thrown) {
    return reason(thrown);
  }
}

/** Somebody else's work in production that a changeset does not know of, and what undoes it. */
export function moved(
  systems: Systems,
  changeset: Changeset,
  what: string,
): { move: () => Promise<void>; back: () => Promise<void> } {
  const execute =
    (sql: string): (() => Promise<void>) =>
    () =>
      systems.postgres.connected(production.instance, (connection: PostgresConnection) => connection.execute(sql));
  if (what === 'a number it uses') {
    const [name = '', states] = Object.entries(changeset.sequences)[0] ?? [];
    const [value = '1', called = 'true'] = states?.before.split(' ') ?? [];
    return {
      move: execute(`select nextval('public.${name}')`),
      back: execute(`select setval('public.${name}', ${Number(value)}, ${called === 'true' || called === 't'})`),
    };
  }
  const relied = changeset.reliedOn.find(({ table }) => table === 'llx_societe');
  const key = what === 'a row it changes' ? '2' : (relied?.key.replaceAll(/[^\d]/g, '') ?? 'none');
  const row =
    what === 'a row it changes'
      ? changeset.changes.find(({ table, key: one }) => table === 'llx_societe' && one === '[2]')?.before
      : relied?.row;
  const phone: unknown = z.object({ phone: z.string().nullable() }).parse(JSON.parse(row ?? '{}')).phone;
  const literal = phone === null ? 'null' : `'${String(phone).replaceAll("'", "''")}'`;
  return {
    move: execute(`update public.llx_societe set phone = 'moved' where rowid = ${Number(key)}`),
    back: execute(`update public.llx_societe set phone = ${literal} where rowid = ${Number(key)}`),
  };
}

/** What the command says where nobody could answer it. */
export function commandWithoutTerminal(changeset: Changeset): Promise<string> {
  return inFile(changeset, async (file) => {
    const { exitCode, output } = await erpCommand(['promote', file], 'prod', `${changeset.hash}\n`);
    return exitCode === 0 ? `replayed: ${output}` : output;
  });
}

/** What a person may type at the terminal. */
const typings: Readonly<Record<string, (hash: string) => string>> = {
  'the hash of the changeset': (hash) => `${hash}\r`,
  'another hash': () => `${'0'.repeat(64)}\r`,
  'the hash without its end': (hash) => `${hash.slice(0, -1)}\r`,
  yes: () => 'yes\r',
  'Enter alone': () => '\r',
  'Ctrl-D': () => '\u0004',
  'Ctrl-C': () => '\u0003',
};

/** Runs the command at a real terminal (a pty) and types there. */
export function commandAtTerminal(changeset: Changeset, what: string): Promise<{ exitCode: number; output: string }> {
  const typed = typings[what];
  if (typed === undefined) throw new Error(`no way to type "${what}": use one of ${Object.keys(typings).join(', ')}`);
  return inFile(changeset, async (file) => {
    const keys = JSON.stringify(typed(changeset.hash));
    const script = join(__dirname, 'at-terminal.py');
    const { exitCode, stdout } = await run('python3', [script, question, keys, 'node', ...erpScript, 'promote', file], {
      cwd: projectRoot,
      allowFailure: true,
    });
    return { exitCode, output: stdout };
  });
}

async function inFile<T>(changeset: Changeset, work: (file: string) => Promise<T>): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), 'promotion-'));
  try {
    const file = join(scratch, 'changeset.json');
    writePrivate(file, changeset);
    return await work(file);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What a replay with the sandbox's own credential says. */
export function replayAsSandbox({ vault, inventory }: Systems, changeset: Changeset): Promise<string> {
  return withLease(vault, inventory, sandbox.credentialsPath, (postgres) =>
    postgres.connected(sandbox.instance, (connection) => replay(connection, changeset)).then(() => 'replayed', reason),
  );
}
