import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../support/paths';
import type { Change, Recipe } from './recipe';

/** What a component is built from, as far as this checkout decides it. */
export interface ComponentSource {
  /** vX.Y.Z of the module, or src-<12 hex> of a local module's content. */
  version: string;
  /** h1:... of the module, or src:<sha256> of a local module's content. */
  checksum: string;
  /** Names of the binaries it yields, sorted. */
  binaries: string[];
  /** Hash of everything in the recipe that decides what the binaries are: another one means the built ones are outdated. */
  digest: string;
}

/** Where a local module lies. */
export function localModule(recipe: Recipe): string {
  return join(projectRoot, 'sandbox', recipe.local ?? '');
}

/** Where the start of a component lies whose module does not publish its commands. */
export function mainFolder(name: string): string {
  return join(projectRoot, 'sandbox', 'forge', 'mains', name);
}

/** What takes the place of a file of a module, or of a text in it. */
export function replacement(change: Change): string {
  if ('to' in change) return change.to;
  return readFileSync(join(projectRoot, 'sandbox', 'forge', 'changed', change.by), 'utf8');
}

/** Reads what a component is built from. A local module without a go.mod has version `absent` and no binaries. */
export function componentSource(recipe: Recipe): ComponentSource {
  const { module, tags, defines, pins, cgo, c, share } = recipe;
  const own =
    module === undefined
      ? localSource(localModule(recipe))
      : {
          version: module.version,
          checksum: module.sum,
          binaries: recipe.binaries.map((built) => built.binary),
        };
  const binaries = [...own.binaries, ...(c === undefined ? [] : [c.binary])].sort();
  const digest = createHash('sha256')
    .update(
      JSON.stringify([
        ...[own.checksum, module?.path, recipe.binaries, binaries, tags, defines, pins, cgo, c ?? 0, share],
        ...(recipe.main === undefined ? [] : [contentHash(mainFolder(recipe.main))]),
        ...(recipe.changed === undefined ? [] : [recipe.changed, replacement(recipe.changed)]),
      ]),
    )
    .digest('hex');
  return { version: own.version, checksum: own.checksum, binaries, digest };
}

function localSource(folder: string): Omit<ComponentSource, 'digest'> {
  if (!existsSync(join(folder, 'go.mod'))) return { version: 'absent', checksum: 'src:absent', binaries: [] };
  const hex = contentHash(folder);
  const commands = readdirSync(join(folder, 'cmd'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return { version: `src-${hex.slice(0, 12)}`, checksum: `src:${hex}`, binaries: commands.map((entry) => entry.name) };
}

function contentHash(folder: string): string {
  const hash = createHash('sha256');
  for (const file of sourceFiles(folder, '')) {
    hash.update(`${file}\0`).update(
      createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest(),
    );
  }
  return hash.digest('hex');
}

/** Files that can change a binary, sorted: tests, built binaries and hidden files cannot. */
function sourceFiles(root: string, below: string): string[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(below, entry.name);
      if (entry.name.startsWith('.') || path === 'bin' || entry.name === 'testdata') return [];
      if (entry.isDirectory()) return sourceFiles(root, path);
      return entry.name.endsWith('_test.go') || entry.name.endsWith('.md') ? [] : [path];
    });
}
