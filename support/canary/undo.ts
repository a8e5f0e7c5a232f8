import { z } from 'zod';
import { appOfApps } from '../argocd/client';
import { databaseInUse } from './links/database';
import { declares, removeFromValues } from './registration';
import { assertThrowaway, isStray } from './strays';
import { Workspace } from './workspace';
import { OperatorError, reason } from '../failure';
import { renderAllRepositories } from '../factory/repositories';
import type { InstanceNames } from '../naming';
import type { Systems } from '../systems';
import type { FileChange } from '../gitea/client';

/**
 * Removes an app from every system, whatever state a run left it in. Idempotent, needs nothing but the name, and goes on
 * after a failed step, so that one broken system does not keep the others dirty.
 * @throws OperatorError naming every step that failed, or when the app is one of the factory's own.
 */
export async function undoCanary(systems: Systems, names: InstanceNames): Promise<void> {
  assertThrowaway(names.app);
  const failures: unknown[] = [];
  const attempt = (step: Promise<unknown>): Promise<void> =>
    step.then(
      () => undefined,
      (thrown: unknown) => void failures.push(thrown),
    );
  const pristine = await Workspace.pristine(systems, names);
  // Leases first: their users must be gone before the roles they are members of.
  await attempt(unregister(systems, names));
  await attempt(forgetLeases(systems, names));
  await Promise.all([
    attempt(removeApplication(systems, names)),
    attempt(removeVaultObjects(systems, names, pristine)),
    attempt(removeDatabase(systems, names, pristine)),
    attempt(removeRepositories(systems, names)),
    attempt(removeStates(systems, names)),
  ]);
  if (failures.length === 0) return;
  throw new OperatorError({
    attempted: `take ${names.app} out of every system`,
    seen: failures.map(reason).join(' | '),
    next: 'mend what is named and run `npm run suite` again: it undoes first what is left.',
    cause: new AggregateError(failures),
  });
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

/** What the app's own iac made, whatever became of its state, and what hashicorp-vault/iac made. */
async function removeVaultObjects({ vault }: Systems, names: InstanceNames, pristine: Workspace): Promise<void> {
  await Promise.all([
    vault.delete(`auth/kubernetes/role/${names.instance}`),
    vault.delete(`${names.configMount}/metadata/${names.configPath}`),
    pristine.clearVault(),
  ]);
}

/** PgBouncer keeps connections open: they are ended, and once more if one comes back in between. */
async function removeDatabase({ postgres }: Systems, { instance }: InstanceNames, pristine: Workspace): Promise<void> {
  const sql = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1';
  const disconnect = (): Promise<unknown> => postgres.rows('postgres', sql, [instance], z.unknown());
  await disconnect();
  try {
    await pristine.clearPostgres();
  } catch (thrown) {
    if (!databaseInUse(thrown)) throw thrown;
    await disconnect();
    await pristine.clearPostgres();
  }
}

/** The repository, also under a mistyped name. */
async function removeRepositories({ gitea }: Systems, { app }: InstanceNames): Promise<void> {
  for (const { name } of await gitea.repositories()) if (isStray(name, app)) await gitea.deleteRepository(name);
}

async function removeStates({ states }: Systems, { statePrefix }: InstanceNames): Promise<void> {
  for (const object of await states.list(`${statePrefix}/`)) await states.delete(object.name);
}
