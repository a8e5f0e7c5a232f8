import { z } from 'zod';
import { OperatorError } from '../failure';
import { assertAllowed } from '../isolation';
import type { PostgresConnection } from '../postgres/client';
import { production, sandbox, type InstanceName } from './instances';

/**
 * The host guard (ADR-0003, section 3): everything that writes goes through it. A name is judged, never an address, a
 * Host header or what a variable says the target is; where the name leads is checked by asking the database itself.
 * @throws OperatorError unless the URL's host is `erp-sandbox.*`.
 */
export function assertSandboxUrl(url: string): void {
  assertAllowed(url, { scope: 'erp-sandbox' });
}

const identity = z.object({
  database: z.string(),
  owner: z.string(),
  member: z.boolean(),
  production: z.boolean(),
  path: z.string(),
  powers: z.array(z.string()),
});

/** Attributes with which a role could reach beyond its own database, of the session's user and all it is a member of. */
const identitySql = `with recursive mine(oid) as (
    select oid from pg_roles where rolname = session_user
    union select m.roleid from pg_auth_members m join mine on m.member = mine.oid)
  select current_database()::text as database, pg_get_userbyid(d.datdba)::text as owner, current_setting('search_path') as path,
    pg_has_role(session_user, $1, 'member') as member,
    coalesce((select pg_has_role(session_user, oid, 'member') from pg_roles where rolname = $2), false) as production,
    array(select distinct r.rolname || ' ' || p.power from mine join pg_roles r using (oid), lateral (values
      ('superuser', r.rolsuper), ('createdb', r.rolcreatedb), ('createrole', r.rolcreaterole), ('replication', r.rolreplication),
      ('bypassrls', r.rolbypassrls), ('a role of the server', r.rolname like 'pg\\_%')) p(power, held) where p.held order by 1)::text[] as powers
  from pg_database d where d.datname = current_database()`;

/** Who a session is and where it ended up, as the database says. */
export type SessionIdentity = z.infer<typeof identity>;

/** Asks a session who it is. */
export async function identify(connection: PostgresConnection): Promise<SessionIdentity> {
  const [row] = await connection.rows(identitySql, [sandbox.ownerRole, production.ownerRole], identity);
  if (row === undefined) throw new Error('pg_database has no row of the current database');
  return row;
}

/**
 * Refuses any session but one of the sandbox's own database, with the sandbox's role and no power beyond it.
 * @throws OperatorError naming the first thing that is not so.
 */
export async function assertSandboxSession(connection: PostgresConnection): Promise<SessionIdentity> {
  const who = await identify(connection);
  const wrong = [
    who.database === sandbox.instance ? '' : `it is in the database ${who.database}`,
    who.owner === sandbox.ownerRole ? '' : `the database belongs to ${who.owner}`,
    who.member ? '' : `its user is no member of ${sandbox.ownerRole}`,
    who.production ? `its user is a member of ${production.ownerRole}` : '',
    who.powers.length === 0 ? '' : `its user has powers: ${who.powers.join(', ')}`,
    who.path === 'public' ? '' : `its search path is ${who.path}`,
  ].filter((text) => text !== '');
  if (wrong.length === 0) return who;
  throw new OperatorError({
    attempted: 'begin something that destroys data',
    where: sandbox.instance,
    expected: `a session in the database ${sandbox.instance}, as a member of ${sandbox.ownerRole} and of nothing else`,
    seen: wrong.join('; '),
    next: `use the credentials of ${sandbox.credentialsPath}; if they are these, \`npm run gate -- plan\` says what was changed.`,
    exitCode: 3,
  });
}

/**
 * The instance meant by the environment: `DOLIBARR_TARGET`, whose default is `prod` (seed 003). For reading only: no
 * command that writes looks at it.
 * @throws OperatorError (exit code 2) for another value.
 */
export function instanceMeant(environment: Readonly<Record<string, string | undefined>> = process.env): InstanceName {
  const value = environment['DOLIBARR_TARGET'] ?? 'prod';
  if (value === 'prod' || value === 'sandbox') return value;
  throw new OperatorError({
    attempted: 'choose the instance',
    where: 'DOLIBARR_TARGET',
    expected: 'prod or sandbox',
    seen: JSON.stringify(value),
    next: 'set it to one of the two, or leave it away for prod, which is only read.',
    exitCode: 2,
  });
}
