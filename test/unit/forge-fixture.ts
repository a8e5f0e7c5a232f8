import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { selectRecipes } from '../../sandbox/forge/recipes';
import { componentSource } from '../../sandbox/forge/source';
import { install, type ForgeStore, type ManifestEntry } from '../../sandbox/forge/store';

/** An empty store in a folder of its own, so that its lock and work folder are its own too. */
export function scratchStore(arch: ForgeStore['arch'] = 'amd64'): ForgeStore {
  return { home: join(mkdtempSync(join(tmpdir(), 'forge-')), 'forge'), arch };
}

/** Installs a component as its recipe wants it, with small files in place of binaries. */
export async function installed(
  store: ForgeStore,
  name: string,
  change: Partial<ManifestEntry> = {},
  content = 'a program',
): Promise<ManifestEntry> {
  const [recipe] = selectRecipes([name]);
  if (recipe === undefined) throw new Error(name);
  const source = componentSource(recipe);
  const staged = `${store.home}.staged`;
  for (const path of [...source.binaries.map((binary) => `bin/${binary}`), `share/${name}/notice.txt`]) {
    mkdirSync(dirname(join(staged, path)), { recursive: true });
    writeFileSync(join(staged, path), `${path}: ${content}\n`);
  }
  return install(store, name, staged, {
    version: source.version,
    checksum: source.checksum,
    recipe: source.digest,
    seconds: 1,
    go: '1.26.8',
    builtAt: '2026-01-01T00:00:00Z',
    ...change,
  });
}
