import { cpSync, existsSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { layOutRootModules } from '../../factory/checkout';
import { readFactoryApps } from '../../factory/repositories';
import { OperatorError } from '../../failure';
import type { Inventory } from '../../inventory';
import { namesOf } from '../../naming';
import { readCiSigningKey } from '../../sandbox-secrets';
import type { TofuRoot } from '../../tofu/client';
import { appRoot, postgresRoot, vaultRoot } from '../../tofu/roots';
import { ciToken } from '../../vault/ci-token';

/** The two shared root modules, and every app of the factory. */
export type RootName = 'hashicorp-vault' | 'postgres' | (string & {});

/** Every root module of a factory, the shared ones first. */
export function rootNames(factory: string): RootName[] {
  return ['hashicorp-vault', 'postgres', ...readFactoryApps(factory).map(({ name }) => name)];
}

/**
 * Which root module a folder is, by the folder it lies in: `.../postgres/iac`, `.../<app>/iac`.
 * @throws OperatorError (exit code 2) when it is none of the factory's.
 */
export function rootNameOf(folder: string, factory: string): RootName {
  const path = existsSync(folder) ? realpathSync(folder) : resolve(folder);
  const name = basename(path) === 'iac' ? basename(dirname(path)) : basename(path);
  const names = rootNames(factory);
  if (existsSync(path) && names.includes(name)) return name;
  throw new OperatorError({
    attempted: 'tell which root module the folder is',
    where: folder,
    expected: `a folder <name>/iac with <name> one of ${names.join(', ')}`,
    seen: existsSync(path) ? path : 'no such folder',
    next: 'give the iac folder of a checkout that bears the repository’s name, or say which it is with --as NAME.',
    exitCode: 2,
  });
}

/** The root modules as one run of the gate uses them: copies, so that nothing is written into a checkout. */
export class RootModules {
  private constructor(
    private readonly folders: ReadonlyMap<RootName, string>,
    private readonly inventory: Inventory,
  ) {}

  /** @param outDir is made anew. */
  static layOut(outDir: string, factory: string, inventory: Inventory): RootModules {
    const { vault, postgres, apps } = layOutRootModules(outDir, { factory, inventory });
    return new RootModules(new Map([['hashicorp-vault', vault], ['postgres', postgres], ...apps]), inventory);
  }

  /** Takes a folder's files in place of the factory's. */
  replace(name: RootName, folder: string): void {
    const place = this.folder(name);
    rmSync(place, { recursive: true, force: true });
    const belongs = (path: string): boolean => !/^\.terraform|\.tfplan$|\.tfstate/.test(basename(path));
    cpSync(realpathSync(folder), place, { recursive: true, filter: belongs });
  }

  /** The root with its state and credentials. @throws OperatorError when a credential of the sandbox is missing. */
  async root(name: RootName): Promise<TofuRoot> {
    const folder = this.folder(name);
    const systems = { inventory: this.inventory };
    if (name === 'postgres') return postgresRoot(systems, folder);
    if (name === 'hashicorp-vault') return vaultRoot(systems, folder);
    const names = namesOf(name, 'prod', this.inventory.domain);
    const jwt = await ciToken(readCiSigningKey(), `${this.inventory.giteaOrg}/${name}`);
    return appRoot(systems, folder, names, jwt);
  }

  private folder(name: RootName): string {
    const folder = this.folders.get(name);
    if (folder !== undefined) return folder;
    throw new OperatorError({
      attempted: 'find the root module',
      expected: `one of ${[...this.folders.keys()].join(', ')}`,
      seen: name,
      next: 'say which root module it is with --as NAME.',
      exitCode: 2,
    });
  }
}
