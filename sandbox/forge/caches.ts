import { existsSync, mkdirSync } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../support/failure';
import type { GoCaches } from './go';
import type { Recipe } from './recipe';

/** Free space a machine must keep for everything else, in GiB. */
const reserveGiB = 1;
/** What all components together need when they share one cache: much of it is common (measured). */
const sharedGiB = 24;

/** The Go caches of a forge run: its own below its work folder, or those the operator names, which are never dropped. */
export function forgeCaches(work: string): GoCaches {
  return {
    build: process.env['FORGE_GOCACHE'] ?? join(work, 'gocache'),
    modules: process.env['FORGE_GOMODCACHE'] ?? join(work, 'gomodcache'),
  };
}

/** Whether a run keeps one cache for all components (faster) or drops it after each (less disk). */
export type CachePlan = 'shared' | 'per component';

/**
 * Chooses how to use the disk for building `missing`.
 * @throws OperatorError when not even the largest of them can be built alone.
 */
export async function planCaches(missing: readonly Recipe[], work: string): Promise<CachePlan> {
  if (process.env['FORGE_GOCACHE'] !== undefined) return 'shared';
  mkdirSync(work, { recursive: true });
  return choosePlan(missing, await freeGiB(work), work);
}

/** The rule of `planCaches` alone. */
export function choosePlan(missing: readonly Recipe[], freeGiB: number, where: string): CachePlan {
  const all =
    Math.min(
      sharedGiB,
      missing.reduce((sum, recipe) => sum + recipe.diskGiB, 0),
    ) + reserveGiB;
  const largest = Math.max(0, ...missing.map((recipe) => recipe.diskGiB)) + reserveGiB;
  if (freeGiB >= all) return 'shared';
  if (freeGiB >= largest) return 'per component';
  throw new OperatorError({
    attempted: `build ${missing.map((recipe) => recipe.name).join(', ')}`,
    where,
    expected: `${largest} GiB of free disk for the Go caches of the largest`,
    seen: `${freeGiB.toFixed(1)} GiB`,
    next: 'free disk space, set XDG_CACHE_HOME to a larger disk, or carry built components over: npm run lab -- forge --import FILE.',
  });
}

/** Free disk space below a folder, in GiB. */
export async function freeGiB(folder: string): Promise<number> {
  const facts = await statfs(folder);
  return (facts.bavail * facts.bsize) / 2 ** 30;
}

/** Removes the forge's own caches and work folder. FORGE_KEEP_CACHE=1 keeps them for the next run. */
export async function dropCaches(work: string): Promise<void> {
  if (process.env['FORGE_KEEP_CACHE'] === '1') return;
  await rm(work, { recursive: true, force: true });
}

/** Whether an ended run (a killed one) left its caches. */
export function cachesLeft(work: string): boolean {
  return process.env['FORGE_KEEP_CACHE'] !== '1' && existsSync(work);
}
