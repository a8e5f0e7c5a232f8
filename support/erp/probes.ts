import { z } from 'zod';
import { OperatorError, reason } from '../failure';
import { compare, type Finding } from '../finding';
import { RefusedByBoundary } from '../isolation';
import type { PostgresClient } from '../postgres/client';
import { ProductError } from '../product-error';
import type { Systems } from '../systems';
import type { Session } from './agent';
import { connectSandboxErp, type SandboxErp } from './client';
import { differences, hashContent, type Content } from './content-hash';
import { readSecrets, withLease } from './credentials';
import { comparison, type GoldenManifest } from './golden';
import { assertSandboxSession, assertSandboxUrl, identify } from './guard';
import { goldenCredentialsPath, production, sandbox } from './instances';
import { overlaid } from './overlay';

/** Production's content, read with the golden's credentials. */
export function hashProduction(systems: Systems): Promise<Content> {
  return withLease(systems.vault, systems.inventory, goldenCredentialsPath, (postgres) =>
    hashContent(postgres, production.instance),
  );
}

/** The sandbox's content, read with its own credentials. */
export function hashSandbox(systems: Systems): Promise<Content> {
  return withLease(systems.vault, systems.inventory, sandbox.credentialsPath, (postgres) =>
    hashContent(postgres, sandbox.instance),
  );
}

/** Whether two contents are the same. */
export function sameContent(subject: string, expected: Content, actual: Content): Finding {
  return compare(subject, 'the same', comparison(expected, actual), `content ${actual.total.slice(0, 12)}`);
}

/** Whether the overlay changed what it may and nothing else. */
export function overlayOnly(restored: Content, final: Content, allowed: readonly string[] = overlaid): Finding {
  const changed = differences(restored, final);
  return compare(
    'what the overlay changed',
    [...allowed].sort().join(', '),
    changed.sort().join(', ') || 'nothing',
    'content hashes',
  );
}

/** What the provisioner owns in the sandbox's database: identity, owner and grants of each object. */
export async function provisionerObjects({ postgres }: Systems): Promise<string[]> {
  const sql = `select p.oid || ' ' || p.proname || ' ' || pg_get_userbyid(p.proowner) || ' ' || coalesce(p.proacl::text, '') as what
      from pg_proc p where p.pronamespace = 'public'::regnamespace and pg_get_userbyid(p.proowner) <> $1
    union all select d.oid || ' database ' || pg_get_userbyid(d.datdba) || ' ' || coalesce(d.datacl::text, '') from pg_database d where d.datname = current_database()
    union all select n.oid || ' schema ' || pg_get_userbyid(n.nspowner) || ' ' || coalesce(n.nspacl::text, '') from pg_namespace n where n.nspname = 'public' order by 1`;
  return (await postgres.rows(sandbox.instance, sql, [sandbox.ownerRole], z.object({ what: z.string() }))).map(
    ({ what }) => what,
  );
}

/** Whether leased credentials have no power and no membership but their own. */
export async function probePowerless(postgres: PostgresClient, database: string, role: string): Promise<Finding[]> {
  const who = await postgres.connected(database, identify);
  const sql = `select coalesce(string_agg(o.rolname, ', ' order by o.rolname), 'none') as roles from pg_auth_members m
    join pg_roles o on o.oid = m.roleid join pg_roles r on r.oid = m.member where r.rolname = session_user`;
  const [member] = await postgres.rows(database, sql, [], z.object({ roles: z.string() }));
  const source = `pg_roles as ${postgres.login.username}`;
  return [
    compare(
      `powers of ${postgres.login.username}, its own and by membership`,
      'none',
      who.powers.join(', ') || 'none',
      source,
    ),
    compare(`membership of ${postgres.login.username}`, role, member?.roles ?? 'none', source),
  ];
}

/** Whether the golden's credentials are refused every write, also in a transaction that asks for writing. */
export async function probeGoldenReadOnly(systems: Systems): Promise<Finding> {
  return withLease(systems.vault, systems.inventory, goldenCredentialsPath, async (postgres) => {
    const finding = {
      subject: 'a write with the golden’s credentials',
      expected: 'refused with 42501',
      source: production.instance,
    };
    try {
      await postgres.connected(production.instance, async (connection) => {
        await connection.execute('begin; set transaction read write; update llx_societe set nom = nom where rowid = 1');
        await connection.execute('rollback');
      });
      return { ...finding, status: 'unmet' as const, actual: 'done', final: true };
    } catch (thrown) {
      if (!(thrown instanceof ProductError)) throw thrown;
      return compare(finding.subject, finding.expected, `refused with ${thrown.code}`, finding.source);
    }
  });
}

/** Who may log in and make or drop databases: the provisioner of the human-gated run and nobody else. */
export async function probeStandingPowers({ postgres, vault }: Systems): Promise<Finding[]> {
  const sql = `select coalesce(string_agg(rolname, ', ' order by rolname), 'nobody') as who from pg_roles where rolcanlogin and (rolsuper or rolcreatedb)`;
  const [row] = await postgres.rows('postgres', sql, [], z.object({ who: z.string() }));
  const roles = await vault.list('postgres/roles');
  const powerful: string[] = [];
  for (const role of roles) {
    const found = await vault.read(`postgres/roles/${role}`, z.object({ creation_statements: z.array(z.string()) }));
    const text = (found?.creation_statements ?? []).join(' ');
    if (/\b(SUPERUSER|CREATEDB|CREATEROLE|REPLICATION|BYPASSRLS)\b/i.test(text)) powerful.push(role);
  }
  return [
    compare('logins that can make or drop databases', 'postgres', row?.who ?? 'nobody', 'pg_roles'),
    compare(
      'credentials Vault leases with such a power',
      'none',
      powerful.join(', ') || 'none',
      `${roles.length} roles of postgres/roles`,
    ),
  ];
}

/** Whether a text contains these words. */
export function says(subject: string, words: string, text: string): Finding {
  const met = text.includes(words);
  return {
    subject,
    status: met ? 'met' : 'unmet',
    expected: `…${words}…`,
    actual: text.slice(0, 600),
    source: 'its message',
  };
}

/** Vault writes the role it leased from into the user's name: `v-<token>-<role>-...`. */
export function leasedFrom(user: string, path: string): string {
  const role = path.split('/').at(-1) ?? '';
  // Postgres' names end after 63 letters, and Vault cuts the role to 8 of them.
  return user.startsWith('v-') && user.includes(`-${role.slice(0, 8)}`) ? `leased from ${path}` : 'not leased there';
}

/** Whether the sandbox's API answers to the agent's key. */
export async function probeServing(systems: Systems): Promise<Finding> {
  const erp = await sandboxErp(systems);
  const seen = await erp.status().then(
    (version) => (version === '' ? 'no version' : 'answers'),
    (thrown: unknown) => `no answer: ${reason(thrown)}`,
  );
  return compare(`the API of ${sandbox.host}`, 'answers', seen, 'GET /status');
}

/** Whether the sandbox serves the golden's rows, also lets the agent write (tried on nothing), and knows nothing of a session. */
export async function probeServesGolden(
  systems: Systems,
  golden: GoldenManifest,
  session: Session | undefined,
): Promise<Finding[]> {
  const erp = await sandboxErp(systems);
  const parties = await erp.list('thirdparties', { limit: 1000 });
  const rows = golden.content.tables['llx_societe']?.rows ?? 'none';
  const writing = await erp.remove('thirdparties', 2147483647).then(
    () => 'done',
    (thrown: unknown) => (thrown instanceof ProductError ? thrown.code : 'no answer'),
  );
  const findings = [
    compare('third parties served', rows, String(parties.length), 'GET /thirdparties'),
    compare('the agent’s right to write', '404', writing, 'DELETE of a third party that is not there'),
  ];
  if (session === undefined) return findings;
  const left = await erp.list('invoices', { filter: `(t.ref:=:'${session.invoiceRef}')` });
  return [
    ...findings,
    compare(`invoice ${session.invoiceRef} of the session`, '0', String(left.length), 'GET /invoices'),
  ];
}

async function sandboxErp({ vault, kubernetes }: Systems): Promise<SandboxErp> {
  return connectSandboxErp(kubernetes, (await readSecrets(vault, sandbox.instance)).ai_agent_api_key);
}

/** Whether the host guard refuses a host. */
export function guardRefuses(host: string): Finding {
  try {
    assertSandboxUrl(host);
    return {
      subject: host,
      status: 'unmet',
      final: true,
      expected: 'refused',
      actual: 'let through',
      source: 'the host guard',
    };
  } catch (thrown) {
    if (!(thrown instanceof RefusedByBoundary)) throw thrown;
    return {
      subject: host,
      status: 'met',
      expected: 'refused',
      actual: `refused: ${thrown.verdict.reason}`,
      source: 'the host guard',
    };
  }
}

/** Whether sessions that are not the sandbox's own are refused before anything is destroyed: also those that could do it. */
export async function sessionsRefused({ postgres, vault, inventory }: Systems): Promise<Finding[]> {
  const judge = (client: PostgresClient, database: string): Promise<string> =>
    client.connected(database, assertSandboxSession).then(
      () => 'let through',
      (thrown: unknown) => (thrown instanceof OperatorError ? 'refused' : `failed: ${reason(thrown)}`),
    );
  const own = await withLease(vault, inventory, production.credentialsPath, (client) =>
    judge(client, production.instance),
  );
  return [
    compare(
      'the provisioner in production',
      'refused',
      await judge(postgres, production.instance),
      'the session guard',
    ),
    compare('the provisioner in the sandbox', 'refused', await judge(postgres, sandbox.instance), 'the session guard'),
    compare('production’s own user in production', 'refused', own, 'the session guard'),
  ];
}
