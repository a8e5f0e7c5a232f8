import { z } from 'zod';
import { appOfApps, type Application } from '../../argocd/client';
import { compare, type Finding } from '../../finding';
import { servedHosts } from '../../kubernetes/ingresses';
import type { Systems } from '../../systems';
import { ciMount } from '../../vault/ci-token';
import { backupsLogin, goldenCredentials, type ExpectedInstance } from './expected';

const secretsGroup = { group: 'secrets.hashicorp.com', version: 'v1beta1' };
const secretShape = z.object({ spec: z.object({ mount: z.string(), path: z.string() }) });
const kubernetesRole = z.object({
  bound_service_account_names: z.array(z.string()),
  bound_service_account_namespaces: z.array(z.string()),
  token_policies: z.array(z.string()),
});

/** Databases that Postgres itself has. */
const ownDatabases = ['postgres', 'template0', 'template1'];
/** Policies that Vault itself has. */
const ownPolicies = ['default', 'root'];

/** The names of one instance, each read from the system that knows it. */
export async function probeInstance(systems: Systems, expected: ExpectedInstance): Promise<Finding[]> {
  const of = (what: string): string => `${what} of ${expected.instance}`;
  const [owners, application, secrets, workload, auth, ci] = await Promise.all([
    databaseOwners(systems),
    systems.argocd.application(expected.application),
    vaultPaths(systems, expected.namespace),
    workloads(systems, expected.namespace),
    systems.vault.read(`auth/kubernetes/role/${expected.instance}`, kubernetesRole),
    systems.vault.read(
      `auth/${ciMount}/role/${expected['CI role']}`,
      z.object({ bound_claims: z.record(z.string(), z.unknown()) }),
    ),
  ]);
  const repository = `${systems.inventory.giteaOrg}/${expected.repository}`;
  const application_ = `Application ${expected.application}`;
  const role = `GET auth/kubernetes/role/${expected.instance}`;
  const pods = `pods of ${expected.namespace}`;
  return [
    compare(
      of('owner role'),
      expected['owner role'],
      owners.get(expected.database) ?? `no database ${expected.database}`,
      'pg_database',
    ),
    compare(
      of('namespace'),
      expected.namespace,
      application?.spec.destination.namespace ?? 'no such Application',
      application_,
    ),
    compare(of('repository'), repository, repositoryOf(application), application_),
    compare(of('chart'), 'chart', application?.spec.source.path ?? 'none', application_),
    compare(of('ServiceAccount'), expected.namespace, workload.accounts.join(', ') || 'no pod', pods),
    compare(of('host'), expected.host, workload.hosts.join(', ') || 'none', `ingresses of ${expected.namespace}`),
    compare(
      of('credentials'),
      expected.credentials,
      secrets.dynamic.join(', ') || 'none',
      `VaultDynamicSecret in ${expected.namespace}`,
    ),
    compare(
      of('config'),
      expected.config,
      secrets.fixed.join(', ') || 'none',
      `VaultStaticSecret in ${expected.namespace}`,
    ),
    compare(
      of('namespaces of the Kubernetes role'),
      expected.namespace,
      auth?.bound_service_account_namespaces.join(', ') ?? 'no such role',
      role,
    ),
    compare(
      of('ServiceAccounts of the Kubernetes role'),
      expected.namespace,
      auth?.bound_service_account_names.join(', ') ?? 'no such role',
      role,
    ),
    compare(of('runtime policy'), expected.instance, auth?.token_policies.join(', ') ?? 'no such role', role),
    compare(
      of('repository of the CI role'),
      repository,
      String(ci?.bound_claims['repository'] ?? 'no such role'),
      `GET auth/${ciMount}/role/${expected['CI role']}`,
    ),
  ];
}

/** Nothing but the instances: what each system has beside them, or lacks of them. */
export async function probeNothingElse(systems: Systems, expected: readonly ExpectedInstance[]): Promise<Finding[]> {
  const { vault, argocd, gitea, postgres } = systems;
  const column = (name: keyof ExpectedInstance): string[] => [...new Set(expected.map((row) => row[name]))];
  const after = (prefix: string, values: string[]): string[] => values.map((value) => value.replace(prefix, ''));
  const roles = 'select rolname from pg_roles where rolname like $1';
  const [owners, ownerRoles, credentials, auth, policies, ci, kv, applications, repositories] = await Promise.all([
    databaseOwners(systems),
    postgres.rows('postgres', roles, ['%\\_role'], z.object({ rolname: z.string() })),
    vault.list('postgres/roles'),
    vault.list('auth/kubernetes/role'),
    vault.list('sys/policies/acl'),
    vault.list(`auth/${ciMount}/role`),
    vault.list('kvv2/metadata'),
    argocd.applications(),
    gitea.repositories(),
  ]);
  const names = applications.map(({ metadata }) => metadata.name).filter((name) => name !== appOfApps);
  const ops = column('repository').map((app) => `${app}-ops`);
  // Beside the instances' own: Vault's credential at Postgres, the backup's login, and the repositories of the platform.
  return [
    same('databases', column('database'), [...owners.keys()], 'pg_database'),
    same(
      'owner roles',
      column('owner role'),
      ownerRoles.map(({ rolname }) => rolname),
      'pg_roles',
    ),
    same(
      'credentials roles',
      [...after('postgres/creds/', column('credentials')), goldenCredentials],
      credentials,
      'LIST postgres/roles',
    ),
    same('Kubernetes auth roles', [...column('instance'), backupsLogin], auth, 'LIST auth/kubernetes/role'),
    same(
      'policies',
      [...column('instance'), ...ops, backupsLogin],
      policies.filter((name) => !ownPolicies.includes(name)),
      'LIST sys/policies/acl',
    ),
    same('CI roles', column('CI role'), ci, `LIST auth/${ciMount}/role`),
    same(
      'configurations',
      [...column('config').map((path) => `${path.split('/')[1] ?? ''}/`), 'postgres/'],
      kv,
      'LIST kvv2/metadata',
    ),
    same('Applications', column('application'), names, 'applications.argoproj.io'),
    same(
      'repositories',
      [...column('repository'), 'factory', 'tools'],
      repositories.map(({ name }) => name),
      'GET /repos',
    ),
  ];
}

/** A comparison of sets that names what is too many and what lacks. */
export function same(subject: string, expected: readonly string[], actual: readonly string[], source: string): Finding {
  const extra = actual.filter((name) => !expected.includes(name)).sort();
  const lacking = expected.filter((name) => !actual.includes(name)).sort();
  const said = [
    extra.length === 0 ? '' : `besides: ${extra.join(', ')}`,
    lacking.length === 0 ? '' : `lacking: ${lacking.join(', ')}`,
  ];
  const seen = said.filter((text) => text !== '').join('; ');
  return {
    subject,
    status: seen === '' ? 'met' : 'unmet',
    expected: [...expected].sort().join(', '),
    actual: seen || 'exactly these',
    source,
  };
}

async function databaseOwners({ postgres }: Systems): Promise<Map<string, string>> {
  const sql = 'select datname::text, pg_get_userbyid(datdba)::text as owner from pg_database';
  const rows = await postgres.rows('postgres', sql, [], z.object({ datname: z.string(), owner: z.string() }));
  return new Map(
    rows.filter(({ datname }) => !ownDatabases.includes(datname)).map(({ datname, owner }) => [datname, owner]),
  );
}

async function vaultPaths({ kubernetes }: Systems, namespace: string): Promise<{ dynamic: string[]; fixed: string[] }> {
  const paths = async (plural: string): Promise<string[]> => {
    const found = await kubernetes.resources({ ...secretsGroup, plural }, namespace, secretShape);
    return found.map(({ spec }) => `${spec.mount}/${spec.path}`);
  };
  const [dynamic, fixed] = await Promise.all([paths('vaultdynamicsecrets'), paths('vaultstaticsecrets')]);
  return { dynamic, fixed };
}

async function workloads({ kubernetes }: Systems, namespace: string): Promise<{ accounts: string[]; hosts: string[] }> {
  const [pods, routes] = await Promise.all([kubernetes.pods(namespace), servedHosts(kubernetes, namespace)]);
  const accounts = pods.map((pod) => pod.spec?.serviceAccountName ?? 'none');
  const hosts = routes.map(({ host }) => host);
  return { accounts: [...new Set(accounts)], hosts: [...new Set(hosts)] };
}

function repositoryOf(application: Application | undefined): string {
  if (application === undefined) return 'no such Application';
  return new URL(application.spec.source.repoURL).pathname.replace(/^\/|\.git$/g, '');
}
