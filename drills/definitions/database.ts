import { z } from 'zod';
import { runPlaybook } from '../../support/ansible/client';
import { makeBackup } from '../../support/backups/backups';
import { compare, type Finding } from '../../support/finding';
import { namesOf } from '../../support/naming';
import { probeDatabase } from '../../support/postgres/probes';
import { defineDrill, type DrillContext, type DrillDefinition } from '../definition';

/** A table of the drill's own in the database, with a row from before the backup and one from after it. */
const table = 'drill_rows';

const memory = z.object({
  database: z.string(),
  owner: z.string(),
  /** Its encoding and locale, and who may connect to it. */
  rights: z.string(),
});

async function execute({ systems }: DrillContext, database: string, sql: string): Promise<void> {
  await systems.postgres.connected(database, (connection) => connection.execute(sql));
}

async function exists({ systems }: DrillContext, database: string): Promise<boolean> {
  const sql = 'select datname from pg_database where datname = $1';
  return (await systems.postgres.rows('postgres', sql, [database], z.object({ datname: z.string() }))).length > 0;
}

async function rightsOf({ systems }: DrillContext, database: string): Promise<string> {
  const sql = `select concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype,
      coalesce(array_to_string(array(select unnest(datacl)::text order by 1), ' '), 'default rights')) as rights
    from pg_database where datname = $1`;
  const rows = await systems.postgres.rows('postgres', sql, [database], z.object({ rights: z.string() }));
  return rows[0]?.rights ?? 'no such database';
}

async function probeRows({ systems, observe, notes }: DrillContext, database: string): Promise<Finding> {
  const rows = await systems.postgres.rows(
    database,
    `select written from ${table} order by 1`,
    [],
    z.object({ written: z.string() }),
  );
  const seen = rows.map(({ written }) => written).join(', ');
  if (!notes.has('lost')) observe('lost', `rows of ${table} written after the backup: after; kept: ${seen}`);
  notes.set('lost', true);
  return compare(
    `rows of ${table}`,
    'before',
    seen,
    `select from ${database}`,
    'a row from after the backup cannot be there',
  );
}

function databaseDrill(id: string, app: string, env: string): DrillDefinition {
  const { instance, ownerRole } = namesOf(app, env);
  return defineDrill<z.infer<typeof memory>>({
    id,
    title: `The database ${instance} is dropped.`,
    changeClasses: ['postgres', 'app'],
    capabilities: ['ssh'],
    sections: ['a-database-is-lost'],
    variables: { DATABASE: instance },
    memory,
    prepare: async (context) => ({
      database: instance,
      owner: ownerRole,
      rights: await rightsOf(context, instance),
    }),
    inject: async (context, { database }) => {
      const made = `drop table if exists ${table}; create table ${table} (written text); insert into ${table} values ('before')`;
      await execute(context, database, made);
      await makeBackup(context.target, 'postgres');
      await execute(context, database, `insert into ${table} values ('after')`);
      await execute(context, 'postgres', `drop database "${database}" with (force)`);
    },
    detect: async (context, { database }) =>
      compare(
        `database ${database}`,
        'missing',
        (await exists(context, database)) ? 'there' : 'missing',
        'pg_database',
      ),
    recovered: async (context, { database, owner, rights }) => [
      await probeDatabase(context.systems.postgres, database, owner),
      compare(`locale of and rights on ${database}`, rights, await rightsOf(context, database), 'pg_database'),
      await probeRows(context, database),
    ],
    heal: async (context, { database }) => {
      if (!(await exists(context, database))) {
        await runPlaybook('recover/postgres-restore.yml', { extraVars: { database } });
      }
      await execute(context, database, `drop table if exists ${table}`);
    },
    hands: {},
    budgets: { detectionMs: 30_000, recoveryMs: 300_000 },
  });
}

/** Database drills: an environment of an app, and an app's own. */
export const databaseDrills: readonly DrillDefinition[] = [
  databaseDrill('database-drop', 'erp', 'sandbox'),
  databaseDrill('database-drop-app', 'cms', 'prod'),
];
