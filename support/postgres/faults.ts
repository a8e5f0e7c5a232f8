import { stoppedService, type Fault, type FaultContext } from '../fault';

/** No database is reachable, neither directly nor through PgBouncer. */
export const postgresStopped = stoppedService('postgres-stopped', 'Postgres is stopped.', 'postgres', 'postgres');

/** Databases are there, but the applications' way to them is not. */
export const pgbouncerStopped = stoppedService('pgbouncer-stopped', 'PgBouncer is stopped.', 'postgres', 'pgbouncer');

/** PgBouncer cannot look up who may log in. */
export const lookupLocked = alteredRole('lookup-locked', 'PgBouncer’s lookup user may not log in.', 'pgbouncer_auth', {
  broken: 'nologin',
  whole: 'login',
});

/** Vault cannot make users any more. */
export const editorPowerless = alteredRole(
  'editor-powerless',
  'The role Vault makes users with may not create roles.',
  'credentials_editor',
  { broken: 'nocreaterole', whole: 'createrole' },
);

function alteredRole(name: string, breaks: string, role: string, flag: { broken: string; whole: string }): Fault {
  const alter =
    (attribute: string) =>
    async ({ systems }: FaultContext): Promise<void> => {
      await systems.postgres.connected('postgres', async (connection) => {
        await connection.execute(`alter role ${role} ${attribute}`);
        // PgBouncer keeps its own connection to the lookup: it must log in anew.
        await connection.execute(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`);
      });
    };
  return { name, breaks, plant: alter(flag.broken), heal: alter(flag.whole) };
}
