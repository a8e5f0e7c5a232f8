import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Recipe } from './recipe';
import { labRecipes } from './recipes';
import { componentSource } from './source';
import { fileRecord, forgeStore, readManifest, writeAtomically, type ForgeStore, type ManifestEntry } from './store';

/** How a component stands in a store. */
export interface ComponentState {
  name: string;
  role: string;
  provenance: Recipe['provenance'];
  stage: Recipe['stage'];
  /** Version the recipe asks for. */
  version: string;
  /** Module hash (h1:...) or source hash (src:...) the recipe asks for. */
  checksum: string;
  state: 'built' | 'missing' | 'corrupt' | 'outdated';
  /** Why it is not `built`, as a clause. */
  why?: string;
  /** Bytes of all its files; 0 when there is no record. */
  size: number;
  binaries: string[];
  entry?: ManifestEntry;
}

export interface VerifyOptions {
  store?: ForgeStore;
  /**
   * Read every byte again. Otherwise a file that was verified before is believed while its inode, size and change time
   * are the same: any write changes the last, and hashing all components costs seconds that `lab up` does not have.
   */
  thorough?: boolean;
}

/**
 * The state of components, those of a lab unless others are given, in build order. Changes nothing but the record of what
 * was verified.
 */
export async function componentStates(
  options: VerifyOptions = {},
  of: readonly Recipe[] = labRecipes,
): Promise<ComponentState[]> {
  const states: ComponentState[] = [];
  for (const recipe of of) states.push(await verifyComponent(recipe, options));
  return states;
}

/** The state of one component: compares its files with the manifest and the manifest with the recipe. */
export async function verifyComponent(recipe: Recipe, options: VerifyOptions = {}): Promise<ComponentState> {
  const store = options.store ?? forgeStore();
  const source = componentSource(recipe);
  const { name, role, provenance, stage } = recipe;
  const about = { name, role, provenance, stage, version: source.version, checksum: source.checksum };
  const entry = readManifest(store).components[name];
  if (entry === undefined) {
    return { ...about, state: 'missing', why: 'it was never built here', size: 0, binaries: source.binaries };
  }
  const size = Object.values(entry.files).reduce((sum, file) => sum + file.size, 0);
  const known = { ...about, size, binaries: source.binaries, entry };
  if (entry.recipe !== source.digest) {
    const why =
      entry.version === source.version
        ? 'its recipe changed'
        : `${entry.version} is built, ${source.version} is wanted`;
    return { ...known, state: 'outdated', why };
  }
  const damage = await firstDamage(store, entry, options.thorough ?? false);
  return damage === undefined ? { ...known, state: 'built' } : { ...known, state: 'corrupt', why: damage };
}

/** What is wrong with the first file that is not as recorded; undefined when all are. */
async function firstDamage(store: ForgeStore, entry: ManifestEntry, thorough: boolean): Promise<string | undefined> {
  const stamps = readStamps(store);
  const fresh: Stamps = {};
  for (const [path, recorded] of Object.entries(entry.files)) {
    const file = join(store.home, path);
    if (!existsSync(file)) return `${path} is not there`;
    const stamp = stampOf(file, recorded.sha256);
    if (!thorough && stamps[path] === stamp) continue;
    const found = await fileRecord(file);
    if (found.sha256 !== recorded.sha256) {
      return `${path} has SHA-256 ${found.sha256.slice(0, 12)}..., recorded is ${recorded.sha256.slice(0, 12)}...`;
    }
    fresh[path] = stamp;
  }
  if (Object.keys(fresh).length > 0) {
    await writeAtomically(stampFile(store), JSON.stringify({ ...readStamps(store), ...fresh }));
  }
  return undefined;
}

type Stamps = Record<string, string>;

function stampFile(store: ForgeStore): string {
  return join(store.home, 'verified.json');
}

function stampOf(file: string, sha256: string): string {
  const facts = statSync(file, { bigint: true });
  return `${facts.ino}:${facts.size}:${facts.ctimeNs}:${sha256}`;
}

function readStamps(store: ForgeStore): Stamps {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(stampFile(store), 'utf8')));
  } catch {
    return {};
  }
}
