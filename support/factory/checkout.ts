import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readInventory, type Inventory } from '../inventory';
import { factoryHome } from '../paths';
import { readFactoryApps, renderAppRepository } from './repositories';

/** Where the OpenTofu root modules lie in a checkout. Folders, absolute. */
export interface RootModules {
  /** hashicorp-vault/iac: mounts, auth methods, policies, CI roles. Comes first. */
  vault: string;
  /** postgres/iac: databases, owner roles, and Vault's connection to them. Comes second. */
  postgres: string;
  /** apps/<app>/iac by app: Vault roles and configuration of its instances. In any order after the two. */
  apps: Map<string, string>;
}

/**
 * Makes a folder in which OpenTofu can work on the factory: the shared roots, and every app's own beside them, at the
 * distance at which the apps name the tools' modules. A copy, because init leaves files, and because lock files name the
 * checksums of the real providers, which stand-ins do not have: they are left out.
 * @param outDir is made anew.
 */
export function layOutRootModules(
  outDir: string,
  options: { factory?: string; inventory?: Inventory } = {},
): RootModules {
  const factory = options.factory ?? factoryHome;
  const inventory = options.inventory ?? readInventory();
  rmSync(outDir, { recursive: true, force: true });
  for (const folder of ['postgres', 'hashicorp-vault']) {
    const belongs = (path: string): boolean => !basename(path).startsWith('.terraform');
    cpSync(join(factory, folder), join(outDir, folder), { recursive: true, filter: belongs });
  }
  const apps = new Map<string, string>();
  for (const app of readFactoryApps(factory)) {
    for (const [path, text] of renderAppRepository(app, { factory, inventory })) {
      if (!path.startsWith('iac/') || basename(path).startsWith('.terraform')) continue;
      const file = join(outDir, 'apps', app.name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    apps.set(app.name, join(outDir, 'apps', app.name, 'iac'));
  }
  return { vault: join(outDir, 'hashicorp-vault', 'iac'), postgres: join(outDir, 'postgres', 'iac'), apps };
}
