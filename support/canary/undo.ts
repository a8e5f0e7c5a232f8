import { z } from 'zod';
import { appOfApps } from '../argocd/client';
import { databaseInUse } from './links/database';
import { declares, removeFromValues } from './registration';
import { Workspace } from './workspace';
import { renderAllRepositories } from '../factory/repositories';
import { nearMiss, type InstanceNames } from '../naming';
import type { Systems } from '../systems';
import type { FileChange } from '../gitea/client';

/**
 * Removes an app from every system, whatever state a run left it in. Idempotent, needs nothing but the name, and goes on
 * after a failed step, so that one broken system does not keep the others dirty.
 * @throws AggregateError with every step that failed.
 */
export async function undoCanary(systems: Systems, names: InstanceNames): Promise<void> {
  const failures: unknown[] = [];
  const attempt = (step: Promise<unknown>): Promise<void> =>
    step.then(
      () => undefined,
      (thrown: unknown) => void failures.push(thrown),
    );
  const pristine = await Workspace.pristine(systems, names);
  const without = await pristine.applyWithoutApp();
  // Leases first: their users must be gone before the roles they are members of.
  await attempt(unregister(systems, names));
  await attempt(forgetLeases(systems, names));
  await Promise.all([
    attempt(removeApplication(systems, names)),
    attempt(removeVaultObjects(systems, names).then(() => without.vault())),
    attempt(removeDatabase(systems, names, without.postgres)),
    attempt(removeRepositories(systems, names)),
    attempt(removeStates(systems, names)),
  ]);
  if (failures.length > 0)
    throw new AggregateError(
      failures,
      `${failures.length} steps of removing ${names.app} failed: ${failures.map(String).join(' | ')}`,
    );
}

/** Takes the app out of the factory repository. A template that a typo mentions the app in is put back as the factory has it. */
async function unregister({ gitea, argocd, inventory }: Systems, { app }: InstanceNames): Promise<void> {
  const original = renderAllRepositories(undefined, inventory).get('factory') ?? new Map<string, string>();
  const changes: FileChange[] = [];
  for (const [path, text] of original) {
    if (!path.startsWith('argocd/')) continue;
    const current = await gitea.file('factory', path);
    if (current === undefined || !current.text.includes(app)) continue;
    const values = path === 'argocd/values.yaml';
    if (values && !declares(current.text, app)) continue;
    const restored = values ? removeFromValues(current.text, app) : text;
    if (restored !== current.text) changes.push({ operation: 'update', path, sha: current.sha, text: restored });
  }
  if (changes.length === 0) return;
  await gitea.commit('factory', `Remove ${app}`, changes);
  await argocd.refresh(appOfApps);
}

async function forgetLeases({ vault }: Systems, names: InstanceNames): Promise<void> {
  await vault.revokeLeases(names.credentialsPath);
  await vault.delete(names.credentialsRolePath);
  // One may have been leased in between.
  await vault.revokeLeases(names.credentialsPath);
}

async function removeApplication({ argocd, kubernetes }: Systems, { instance }: InstanceNames): Promise<void> {
  await argocd.delete(instance);
  await kubernetes.deleteNamespace(instance);
}

async function removeVaultObjects({ vault }: Systems, names: InstanceNames): Promise<void> {
  await Promise.all([
    vault.delete(`auth/kubernetes/role/${names.instance}`),
    vault.delete(`${names.configMount}/metadata/${names.configPath}`),
  ]);
}

/** PgBouncer keeps connections open: they are ended, and once more if one comes back in between. */
async function removeDatabase(
  { postgres }: Systems,
  names: InstanceNames,
  apply: () => Promise<unknown>,
): Promise<void> {
  const end = (): Promise<unknown> =>
    postgres.rows(
      'postgres',
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1',
      [names.instance],
      z.unknown(),
    );
  await end();
  try {
    await apply();
  } catch (thrown) {
    if (!databaseInUse(thrown)) throw thrown;
    await end();
    await apply();
  }
}

/** The repository, and one created under a mistyped name; never one that the factory knows. */
async function removeRepositories({ gitea, inventory }: Systems, { app }: InstanceNames): Promise<void> {
  const known = renderAllRepositories(undefined, inventory);
  const strangers = (await gitea.repositories()).map((one) => one.name).filter((name) => !known.has(name));
  const mistyped = nearMiss(app, strangers);
  for (const name of strangers) if (name === app || name === mistyped) await gitea.deleteRepository(name);
}

async function removeStates({ states }: Systems, { statePrefix }: InstanceNames): Promise<void> {
  for (const object of await states.list(`${statePrefix}/`)) await states.delete(object.name);
}
