import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { renderAppRepository } from '../factory/repositories';
import { OperatorError } from '../failure';
import type { InstanceNames } from '../naming';
import { cacheHome, factoryHome } from '../paths';
import type { Systems } from '../systems';
import { appRoot, postgresRoot, postgresStatePrefix, vaultRoot, vaultStatePrefix } from '../tofu/roots';
import type { Applied, PlannedChange } from '../tofu/client';
import { addToTfvars, addToValues } from './registration';
import { strayKeys } from './strays';

/** Folders of the factory that a run works on a copy of. */
const folders = ['postgres', 'hashicorp-vault', 'argocd'];

/** A change of one artefact: the text is replaced exactly once. */
export interface Edit {
  /** Path in the workspace, such as `postgres/iac/main.tf`. */
  file: string;
  find: string;
  replace: string;
}

/**
 * A working copy of what the new-web-app runbook touches: the two shared OpenTofu roots with the app added, the
 * app-of-apps' chart, and the app's own repository from the template. Typos are made here, in the real artefacts.
 */
export class Workspace {
  /** The name a person gives the new repository in Gitea. */
  repository: string;
  /** Files of the app-of-apps that differ from what Gitea has, beside values.yaml. */
  private readonly edited = new Set<string>();

  private constructor(
    private readonly systems: Systems,
    private readonly names: InstanceNames,
    readonly folder: string,
  ) {
    this.repository = names.app;
  }

  /** The app's name. */
  get app(): string {
    return this.names.app;
  }

  /** Makes the copy anew and adds the app to both shared roots. */
  static async prepare(systems: Systems, names: InstanceNames): Promise<Workspace> {
    const workspace = new Workspace(systems, names, join(cacheHome, 'canary', names.instance));
    await workspace.copyFactory();
    for (const file of ['postgres/iac/terraform.tfvars', 'hashicorp-vault/iac/terraform.tfvars']) {
      await writeFile(workspace.path(file), addToTfvars(await readFile(workspace.path(file), 'utf8'), names.app));
    }
    const own = renderAppRepository({ name: names.app, envs: ['prod'] }, { inventory: systems.inventory });
    for (const [path, text] of own) {
      const file = workspace.path(`apps/${names.app}/${path}`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    return workspace;
  }

  /** Makes the copy anew without the app: what undoing applies. */
  static async pristine(systems: Systems, names: InstanceNames): Promise<Workspace> {
    const workspace = new Workspace(systems, names, join(cacheHome, 'canary', `${names.instance}-undo`));
    await workspace.copyFactory();
    return workspace;
  }

  /** Makes one change to an artefact. @throws OperatorError unless its text is there exactly once. */
  async edit({ file, find, replace }: Edit): Promise<void> {
    const text = await readFile(this.path(file), 'utf8');
    const parts = text.split(find);
    if (parts.length !== 2) {
      throw new OperatorError({
        attempted: 'plant a typo',
        where: file,
        expected: `exactly one \`${find}\``,
        seen: `${parts.length - 1}`,
        next: 'bring the typo in support/canary/typos.ts in line with the factory.',
      });
    }
    await writeFile(this.path(file), parts.join(replace));
    if (file.startsWith('argocd/')) this.edited.add(file);
  }

  /** The files of the app's repository as they are to be committed. */
  async repositoryFiles(): Promise<{ path: string; text: string }[]> {
    const own = renderAppRepository({ name: this.names.app, envs: ['prod'] }, { inventory: this.systems.inventory });
    return Promise.all(
      [...own.keys()].map(async (path) => ({
        path,
        text: await readFile(this.path(`apps/${this.names.app}/${path}`), 'utf8'),
      })),
    );
  }

  /** Applies postgres/iac. Only what belongs to the app may change. */
  async applyPostgres(): Promise<Applied> {
    return this.systems.tofu.apply(postgresRoot(this.systems, this.path('postgres/iac')), onlyAdditions);
  }

  /** Applies hashicorp-vault/iac. Only what belongs to the app may change. */
  async applyVault(): Promise<Applied> {
    return this.systems.tofu.apply(vaultRoot(this.systems, this.path('hashicorp-vault/iac')), onlyAdditions);
  }

  /** Applies the app's own iac as its CI. @param jwt the CI token. */
  async applyApp(jwt: string): Promise<Applied> {
    const root = appRoot(this.systems, this.path(`apps/${this.names.app}/iac`), this.names, jwt);
    return this.systems.tofu.apply(root, onlyAdditions);
  }

  /** Applies postgres/iac as it is without the app. Only removals are permitted. */
  async clearPostgres(): Promise<void> {
    if ((await strayKeys(this.systems, postgresStatePrefix, this.app)).length === 0) return;
    await this.systems.tofu.apply(postgresRoot(this.systems, this.path('postgres/iac')), onlyRemovals);
  }

  /** Applies hashicorp-vault/iac as it is without the app. Only removals are permitted. */
  async clearVault(): Promise<void> {
    if ((await strayKeys(this.systems, vaultStatePrefix, this.app)).length === 0) return;
    await this.systems.tofu.apply(vaultRoot(this.systems, this.path('hashicorp-vault/iac')), onlyRemovals);
  }

  /** Registers the app with the app-of-apps: one commit to the factory repository. Returns its sha. */
  async register(): Promise<string> {
    const { gitea } = this.systems;
    const values = 'argocd/values.yaml';
    const current = await gitea.file('factory', values);
    if (current === undefined)
      throw new OperatorError({
        attempted: 'register the app',
        where: `${gitea.organisation}/factory`,
        expected: values,
        seen: 'no such file',
        next: 'run `npm run lab -- up` again: it pushes the factory repository.',
      });
    const changes = [
      { operation: 'update' as const, path: values, sha: current.sha, text: addToValues(current.text, this.names.app) },
    ];
    for (const path of this.edited) {
      const known = await gitea.file('factory', path);
      const text = await readFile(this.path(path), 'utf8');
      if (known !== undefined) changes.push({ operation: 'update', path, sha: known.sha, text });
    }
    return gitea.commit('factory', `Register ${this.names.app}`, changes);
  }

  private path(file: string): string {
    return join(this.folder, file);
  }

  private async copyFactory(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    for (const folder of folders) {
      await cp(join(factoryHome, folder), this.path(folder), {
        recursive: true,
        // Lock files name the checksums of the real providers, which stand-ins do not have.
        filter: (from) => !basename(from).startsWith('.terraform'),
      });
    }
  }
}

/** A run adds the app and touches nothing of the others: whatever is more must be converged by `lab up` first. */
function onlyAdditions(change: PlannedChange): string | undefined {
  if (change.action === 'create' || change.action === 'read') return undefined;
  return 'adding an app must only create; converge the sandbox with `npm run lab -- up` first';
}

function onlyRemovals(change: PlannedChange): string | undefined {
  if (change.action === 'delete' || change.action === 'read') return undefined;
  return 'removing an app must only delete; converge the sandbox with `npm run lab -- up` first';
}
