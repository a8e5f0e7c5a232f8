import { z } from 'zod';
import { appOfApps } from '../argocd/client';
import { probeAtRevision } from '../argocd/probes';
import { compare, type Finding } from '../finding';
import type { InstanceNames } from '../naming';
import type { Systems } from '../systems';
import { ciMount } from '../vault/ci-token';
import { postgresStatePrefix, vaultStatePrefix } from '../tofu/roots';
import { declares } from './registration';
import { strayKeys } from './strays';

type Look = (systems: Systems, names: InstanceNames) => Promise<Finding>;

/** One finding a system: nothing of the app is left there. */
export async function probeGone(systems: Systems, names: InstanceNames): Promise<Finding[]> {
  return Promise.all(looks.map((look) => look(systems, names)));
}

const looks: Look[] = [
  async ({ argocd }, { instance }) =>
    absent('Argo CD Application', (await argocd.application(instance)) && instance, 'applications of argocd'),
  async ({ kubernetes }, { instance }) => absent('namespace', await kubernetes.namespacePhase(instance), 'namespaces'),
  async ({ gitea }, { app }) => absent('Gitea repository', (await gitea.repository(app))?.full_name, 'GET /repos'),
  async ({ gitea }, { app }) => {
    const values = (await gitea.file('factory', 'argocd/values.yaml'))?.text ?? '';
    return absent(
      'registration in the factory repository',
      declares(values, app) ? app : undefined,
      'factory argocd/values.yaml',
    );
  },
  async ({ gitea, argocd }) => probeAtRevision(argocd, appOfApps, (await gitea.head('factory')) ?? 'a commit'),
  async ({ vault }, { instance, opsPolicy }) => {
    const left = (await vault.list('sys/policies/acl')).filter((policy) => [instance, opsPolicy].includes(policy));
    return absent('Vault policies', left, 'LIST sys/policies/acl');
  },
  async ({ vault }, { ciRole }) =>
    listed('CI role', await vault.list(`auth/${ciMount}/role`), ciRole, `LIST auth/${ciMount}/role`),
  async ({ vault }, { instance }) =>
    listed('Kubernetes auth role', await vault.list('auth/kubernetes/role'), instance, 'LIST auth/kubernetes/role'),
  async ({ vault }, { instance }) =>
    listed('credentials role', await vault.list('postgres/roles'), instance, 'LIST postgres/roles'),
  async ({ vault }, { credentialsPath }) =>
    absent('leases', await vault.leases(credentialsPath), `LIST sys/leases/lookup/${credentialsPath}`),
  async ({ vault }, { configMount, instance }) =>
    listed(
      'key-value config',
      await vault.list(`${configMount}/metadata`),
      `${instance}/`,
      `LIST ${configMount}/metadata`,
    ),
  async ({ postgres }, { instance }) => {
    const rows = await postgres.rows(
      'postgres',
      'select datname from pg_database where datname = $1',
      [instance],
      z.object({ datname: z.string() }),
    );
    return absent(
      'database',
      rows.map((row) => row.datname),
      'pg_database',
    );
  },
  async ({ postgres }, { ownerRole, instance }) => {
    // Vault names a leased user after the login and, with its first eight letters, the role it was leased for.
    const sql = 'select rolname from pg_roles where rolname = $1 or rolname like $2';
    const rows = await postgres.rows(
      'postgres',
      sql,
      [ownerRole, `v-%-${instance.slice(0, 8)}-%`],
      z.object({ rolname: z.string() }),
    );
    return absent(
      'owner role and leased users',
      rows.map((row) => row.rolname),
      'pg_roles',
    );
  },
  async ({ states }, { statePrefix }) =>
    absent(
      'OpenTofu state',
      (await states.list(`${statePrefix}/`)).map((object) => object.name),
      `bucket ${states.bucket}`,
    ),
  async (systems, { app }) => {
    const prefixes = [postgresStatePrefix, vaultStatePrefix];
    const left = await Promise.all(prefixes.map((prefix) => strayKeys(systems, prefix, app)));
    return absent('entries in the shared OpenTofu states', left.flat(), `bucket ${systems.states.bucket}`);
  },
];

function listed(what: string, names: string[], name: string, source: string): Finding {
  return absent(what, names.includes(name) ? name : undefined, source);
}

function absent(what: string, left: string | string[] | undefined, source: string): Finding {
  const seen = (Array.isArray(left) ? left : left === undefined ? [] : [left]).join(', ');
  return compare(what, 'gone', seen === '' ? 'gone' : seen, source);
}
