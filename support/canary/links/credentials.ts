import { z } from 'zod';
import { compare, type Finding } from '../../finding';
import { throughPgBouncer, type PostgresConnection } from '../../postgres/client';
import type { CredentialLease } from '../../vault/client';
import type { Link } from '../link';

/** A leased user really logs in the way the app will, and is a member of the owner role and of nothing else. */
export const credentialsLink: Link = {
  name: 'credentials',
  title: 'Leased credentials log in through PgBouncer',
  check: async ({ systems, names }) => {
    const lease = await systems.vault.leaseCredentials(names.credentialsPath);
    try {
      const postgres = throughPgBouncer(systems.inventory, lease);
      return await postgres.connected(names.instance, (connection) => judge(connection, lease, names.ownerRole));
    } finally {
      await systems.vault.write('sys/leases/revoke', { lease_id: lease.leaseId, sync: true });
    }
  },
};

async function judge(connection: PostgresConnection, lease: CredentialLease, ownerRole: string): Promise<Finding[]> {
  const source = 'through PgBouncer as the leased user';
  const sql = `select current_user::text as user, array(select o.rolname::text from pg_auth_members m join pg_roles o on o.oid = m.roleid
      where m.member = r.oid order by 1) as groups,
    concat_ws(', ', case when rolsuper then 'superuser' end, case when rolcreatedb then 'createdb' end,
      case when rolcreaterole then 'createrole' end, case when rolreplication then 'replication' end, case when rolbypassrls then 'bypassrls' end) as powers
    from pg_roles r where rolname = current_user`;
  const shape = z.object({ user: z.string(), groups: z.array(z.string()), powers: z.string() });
  const row = (await connection.rows(sql, [], shape))[0];
  const statement = "creation_statements of the credentials role in the app's own iac (module app_roles)";
  return [
    compare('leased user', lease.username, row?.user ?? 'nobody', source),
    compare(`membership of ${lease.username}`, ownerRole, row?.groups.join(', ') ?? '', source, statement),
    compare(`own powers of ${lease.username}`, 'none', row?.powers || 'none', source, statement),
    await actsAsOwner(connection, ownerRole, source),
  ];
}

/** What the app does on every request: take the owner role within a transaction. */
async function actsAsOwner(connection: PostgresConnection, ownerRole: string, source: string): Promise<Finding> {
  await connection.execute(`begin; set local role "${ownerRole.replaceAll('"', '""')}"`);
  const row = (await connection.rows('select current_user::text as user', [], z.object({ user: z.string() })))[0];
  await connection.execute('rollback');
  return compare('acting as the owner role', ownerRole, row?.user ?? 'nobody', source);
}
