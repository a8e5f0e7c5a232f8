import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { factoryHome, inventoryFile, projectRoot } from '../support/paths';
import { labRecipes } from './forge/recipes';
import { componentSource } from './forge/source';

/** Sources of this project that decide what a converged lab looks like; the rest of sandbox/ only drives it. */
const deciding = [
  'sandbox/machines/boot.sh',
  'sandbox/machines/operator.ts',
  'sandbox/images',
  'sandbox/stages.ts',
  'support/factory',
];

/** Folders that hold what is made from sources. */
const made = new Set(['.terraform', 'node_modules', '.git', '__pycache__']);

/**
 * A hash of all that a converged lab was made from: the factory, the inventory, the pinned components, the machines' base
 * system. A snapshot is used only where it is the same.
 */
export function labKey(base: string): string {
  const hash = createHash('sha256');
  const add = (label: string, content: string | Buffer): void => {
    hash.update(`${label}\0${content.length}\0`).update(content);
  };
  add('base', base);
  for (const recipe of labRecipes) add(recipe.name, componentSource(recipe).digest);
  for (const root of [factoryHome, inventoryFile, ...deciding.map((path) => join(projectRoot, path))]) {
    for (const file of filesBelow(root)) add(relative(root, file), readFileSync(file));
  }
  return hash.digest('hex');
}

/** All files at or below a path, sorted; none when it does not exist. */
function filesBelow(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    return entries.flatMap((entry) => {
      if (made.has(entry.name)) return [];
      if (entry.isDirectory()) return filesBelow(join(path, entry.name));
      return entry.isFile() ? [join(path, entry.name)] : [];
    });
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOTDIR') return [path];
    if (code === 'ENOENT') return [];
    throw thrown;
  }
}
