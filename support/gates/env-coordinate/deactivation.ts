import { join } from 'node:path';
import { z } from 'zod';
import { appOfApps } from '../../argocd/client';
import { decisive } from '../../canary/chain';
import { databaseInUse } from '../../canary/links/database';
import { Workspace } from '../../canary/workspace';
import { eventually } from '../../eventually';
import { renderAllRepositories } from '../../factory/repositories';
import { layOutRootModules } from '../../factory/checkout';
import { compare, worst, type Finding } from '../../finding';
import type { FileChange } from '../../gitea/client';
import { namesOf, type InstanceNames } from '../../naming';
import { readCiSigningKey } from '../../sandbox-secrets';
import { connectSystems, type Systems } from '../../systems';
import type { PlannedChange } from '../../tofu/client';
import { appRoot, postgresRoot, vaultRoot } from '../../tofu/roots';
import { defineUndo } from '../../undo';
import { ciToken } from '../../vault/ci-token';
import { belongs, type NewEnvironment } from './activation';

/** Takes an added environment back, also in a later process: it needs nothing but the two names. */
export const environmentUndo = defineUndo({
  name: 'environment',
  args: z.object({ app: z.string(), env: z.string() }),
  needs: ['apps'],
  run: async (environment) => {
    await deactivate(connectSystems(), environment);
  },
});

/** Takes the environment out of every system and waits until each says that nothing is left. Returns what each said. */
export async function deactivate(systems: Systems, { app, env }: NewEnvironment): Promise<Finding[]> {
  const names = namesOf(app, env, systems.inventory.domain);
  let left = await probeEnvironmentGone(systems, names);
  if (worst(left) === 'met') return left;
  await restoreRepositories(systems, app);
  await systems.argocd.refresh(appOfApps);
  // The namespace first: the secrets operator in it would lease on.
  await systems.argocd.delete(names.instance);
  await systems.kubernetes.deleteNamespace(names.instance);
  await eventually(`namespace ${names.instance} is gone`, async () => namespaceGone(systems, names), 'deletion');
  await systems.vault.revokeLeases(names.credentialsPath);
  await removeResources(systems, names);
  const look = async (): Promise<Finding> => {
    left = await probeEnvironmentGone(systems, names);
    return decisive(left);
  };
  await eventually(`${names.instance} is gone from every system`, look, 'deletion');
  return left;
}

/** One finding a system: nothing of the instance is left there. */
export async function probeEnvironmentGone(systems: Systems, names: InstanceNames): Promise<Finding[]> {
  const { vault, postgres, argocd, gitea } = systems;
  const { instance } = names;
  const rows = (sql: string, value: string): Promise<{ name: string }[]> =>
    postgres.rows('postgres', sql, [value], z.object({ name: z.string() }));
  const listed = async (path: string, name: string): Promise<string[]> =>
    (await vault.list(path)).filter((one) => one === name);
  const gone = (what: string, left: readonly string[], source: string): Finding =>
    compare(what, 'gone', left.join(', ') || 'gone', source);
  const values = (await gitea.file('factory', 'argocd/values.yaml'))?.text ?? '';
  const original = renderAllRepositories(undefined, systems.inventory).get('factory')?.get('argocd/values.yaml');
  return [
    compare(
      'registration in the factory repository',
      'as before',
      values === original ? 'as before' : 'changed',
      'factory argocd/values.yaml',
    ),
    gone(
      'values file',
      (await gitea.file(names.app, `chart/values-${names.env}.yaml`)) === undefined ? [] : ['there'],
      `${names.app} chart`,
    ),
    gone(
      'Application',
      (await argocd.application(instance)) === undefined ? [] : [instance],
      'applications.argoproj.io',
    ),
    await namespaceGone(systems, names),
    gone(
      'database',
      (await rows('select datname::text as name from pg_database where datname = $1', instance)).map(
        ({ name }) => name,
      ),
      'pg_database',
    ),
    gone(
      'owner role',
      (await rows('select rolname::text as name from pg_roles where rolname = $1', names.ownerRole)).map(
        ({ name }) => name,
      ),
      'pg_roles',
    ),
    gone('policy', await listed('sys/policies/acl', instance), 'LIST sys/policies/acl'),
    gone('credentials role', await listed('postgres/roles', instance), 'LIST postgres/roles'),
    gone('Kubernetes auth role', await listed('auth/kubernetes/role', instance), 'LIST auth/kubernetes/role'),
    gone(
      'configuration',
      await listed(`${names.configMount}/metadata`, `${instance}/`),
      `LIST ${names.configMount}/metadata`,
    ),
  ];
}

async function namespaceGone({ kubernetes }: Systems, { instance }: InstanceNames): Promise<Finding> {
  return compare('namespace', 'gone', (await kubernetes.namespacePhase(instance)) ?? 'gone', 'namespaces');
}

/** Both repositories as the factory has them: files that differ are put back, files that are too many are removed. */
async function restoreRepositories({ gitea, inventory }: Systems, app: string): Promise<void> {
  const all = renderAllRepositories(undefined, inventory);
  for (const [repository, folders] of [
    ['factory', ['argocd']],
    [app, ['chart', 'iac']],
  ] as const) {
    const original = all.get(repository) ?? new Map<string, string>();
    const changes: FileChange[] = [];
    for (const folder of folders) {
      for (const name of (await gitea.folder(repository, folder)) ?? []) {
        const path = `${folder}/${name}`;
        if (!name.includes('.')) continue;
        const current = await gitea.file(repository, path);
        const text = original.get(path);
        if (current === undefined || current.text === text) continue;
        if (text === undefined) changes.push({ operation: 'delete', path, sha: current.sha });
        else changes.push({ operation: 'update', path, text, sha: current.sha });
      }
    }
    if (changes.length > 0) await gitea.commit(repository, 'Take the environment back', changes);
  }
}

/** Applies every root as the factory has it; nothing but the instance's own resources may be destroyed. */
async function removeResources(systems: Systems, names: InstanceNames): Promise<void> {
  const { folder } = await Workspace.pristine(systems, names);
  const modules = layOutRootModules(join(folder, 'undo'), { inventory: systems.inventory });
  const permit = ({ action, address }: PlannedChange): string | undefined =>
    action === 'read' || (action === 'delete' && belongs(address, names.env, names.instance))
      ? undefined
      : 'taking the environment back must only destroy what belongs to it';
  const jwt = await ciToken(readCiSigningKey(), `${systems.inventory.giteaOrg}/${names.app}`);
  const own = modules.apps.get(names.app) ?? '';
  await systems.tofu.apply(appRoot(systems, own, names, jwt), permit);
  // Until its role was gone, a lease could be taken.
  await systems.vault.revokeLeases(names.credentialsPath);
  const dropDatabase = async (): Promise<void> => {
    const sql = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1';
    await systems.postgres.rows('postgres', sql, [names.instance], z.unknown());
    await systems.tofu.apply(postgresRoot(systems, modules.postgres), permit);
  };
  await dropDatabase().catch(async (thrown: unknown) => {
    // PgBouncer may have come back in between.
    if (!databaseInUse(thrown)) throw thrown;
    await dropDatabase();
  });
  await systems.tofu.apply(vaultRoot(systems, modules.vault), permit);
}
