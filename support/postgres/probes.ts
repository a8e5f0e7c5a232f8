import { z } from 'zod';
import { compare, type Finding } from '../finding';
import type { Inventory } from '../inventory';
import { typoHint } from '../naming';
import { ProductError } from '../product-error';
import { connectPostgres, type PostgresClient } from './client';

const adminDatabase = 'postgres';
const where = 'postgres/iac (main.tf or terraform.tfvars)';

/** Whether a database exists and is owned by the role the convention names. */
export async function probeDatabase(postgres: PostgresClient, database: string, owner: string): Promise<Finding> {
  const sql = 'select datname, pg_get_userbyid(datdba) as owner from pg_database';
  const found = await postgres.rows(adminDatabase, sql, [], z.object({ datname: z.string(), owner: z.string() }));
  const one = found.find((row) => row.datname === database);
  const names = found.map((row) => row.datname);
  const seen = one === undefined ? 'no such database' : `owned by ${one.owner}`;
  const hint =
    one === undefined
      ? typoHint(database, names, where)
      : `"${one.owner}" owns it instead of "${owner}": a typo in ${where}`;
  return definite(compare(`database ${database}`, `owned by ${owner}`, seen, 'pg_database', hint));
}

/** Whether an owner role exists that nobody can log in as and that has no power of its own. */
export async function probeOwnerRole(postgres: PostgresClient, role: string): Promise<Finding> {
  const sql = 'select rolname, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole from pg_roles';
  const flags = z.boolean();
  const shape = z.object({
    rolname: z.string(),
    rolcanlogin: flags,
    rolsuper: flags,
    rolcreatedb: flags,
    rolcreaterole: flags,
  });
  const found = await postgres.rows(adminDatabase, sql, [], shape);
  const one = found.find((row) => row.rolname === role);
  const powers = one ? Object.entries(one).flatMap(([name, value]) => (value === true ? [name] : [])) : [];
  const seen =
    one === undefined ? 'no such role' : powers.length === 0 ? 'no login, no power of its own' : powers.join(', ');
  const hint =
    one === undefined
      ? typoHint(
          role,
          found.map((row) => row.rolname),
          where,
        )
      : `its attributes are set in ${where}`;
  return definite(compare(`owner role ${role}`, 'no login, no power of its own', seen, 'pg_roles', hint));
}

/** Whether the role Vault uses may hand out membership in the owner role. */
export async function probeAdminMembership(postgres: PostgresClient, editor: string, owner: string): Promise<Finding> {
  const sql = `select m.admin_option from pg_auth_members m
    join pg_roles o on o.oid = m.roleid join pg_roles e on e.oid = m.member where o.rolname = $1 and e.rolname = $2`;
  const found = await postgres.rows(adminDatabase, sql, [owner, editor], z.object({ admin_option: z.boolean() }));
  const seen =
    found.length === 0
      ? 'no member'
      : found.some((row) => row.admin_option)
        ? 'member with admin option'
        : 'member without admin option';
  const hint = `postgresql_grant_role.credentials_editor_app_role in ${where}`;
  return definite(compare(`${editor} in ${owner}`, 'member with admin option', seen, 'pg_auth_members', hint));
}

/** Whether PgBouncer's lookup function is there, runs as its owner, and is open to PgBouncer alone. */
export async function probeUserLookup(postgres: PostgresClient, database: string): Promise<Finding> {
  const sql = `select p.prosecdef as definer, has_function_privilege('pgbouncer_auth', p.oid, 'EXECUTE') as pooler,
    exists (select 1 from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0 and a.privilege_type = 'EXECUTE') as public
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' and p.proname = 'user_lookup'`;
  const shape = z.object({ definer: z.boolean(), pooler: z.boolean(), public: z.boolean() });
  const row = (await postgres.rows(database, sql, [], shape))[0];
  const expected = 'security definer, EXECUTE for pgbouncer_auth, none for public';
  const seen =
    row === undefined
      ? 'no such function'
      : `${row.definer ? 'security definer' : 'security invoker'}, ${row.pooler ? 'EXECUTE' : 'no EXECUTE'} for pgbouncer_auth, ${row.public ? 'EXECUTE' : 'none'} for public`;
  const hint = `postgresql_function.pgbouncer_user_lookup and its two grants in ${where}`;
  return definite(compare(`function user_lookup in ${database}`, expected, seen, `pg_proc of ${database}`, hint));
}

/** What a catalogue says is settled: waiting changes nothing. */
function definite(finding: Finding): Finding {
  return finding.status === 'unmet' ? { ...finding, final: true } : finding;
}

/** Whether Postgres is the version the platform runs and listens at the address of a machine, not of the cluster. */
export async function probeOutsideCluster(inventory: Inventory): Promise<Finding> {
  const postgres = connectPostgres(inventory);
  const sql = 'select current_setting($1) as version, host(inet_server_addr()) as address';
  const shape = z.object({ version: z.string(), address: z.string() });
  const [row] = await postgres.rows(adminDatabase, sql, ['server_version'], shape);
  const machine = inventory.machines.find(({ address }) => address === row?.address);
  const actual = `${row?.version.split('.')[0]} at ${machine?.name ?? row?.address}`;
  const home = inventory.machines.find(({ groups }) => groups.includes('postgres'));
  return compare('Postgres', `15 at ${home?.name}`, actual, 'select server_version, inet_server_addr()');
}

/** Whether the superuser is let in with the sandbox's credential and turned away with any other password. */
export async function probePasswordNeeded(postgres: PostgresClient): Promise<Finding[]> {
  const source = 'a login over the network as postgres';
  const login = async (client: PostgresClient): Promise<string> => {
    try {
      await client.rows(adminDatabase, 'select 1 as one', [], z.object({ one: z.number() }));
      return 'let in';
    } catch (thrown) {
      if (thrown instanceof ProductError) return `refused with ${thrown.code}`;
      throw thrown;
    }
  };
  return [
    compare('the sandbox’s own credential', 'let in', await login(postgres), source),
    compare(
      'any other password',
      'refused with 28P01',
      await login(postgres.as({ username: 'postgres', password: 'not-it' })),
      source,
    ),
  ];
}
