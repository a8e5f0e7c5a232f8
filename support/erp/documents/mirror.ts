import { OperatorError } from '../../failure';
import { interruption } from '../../interruption';
import type { KubernetesClient } from '../../kubernetes/client';
import { production, sandbox } from '../instances';
import { readDocuments, writeSandboxDocuments } from './carrier';
import { contentHash, type Folder, type Listing, type SandboxFolder } from './folder';

/** Paths of what a copy has to do, each list in order. */
export interface MirrorPlan {
  add: string[];
  change: string[];
  remove: string[];
}

/** What a copy did. */
export interface Mirrored extends Record<keyof MirrorPlan, number> {
  /** Files that production and the sandbox have now. */
  files: number;
}

/** What makes `target` the same as `source`, by path and content. */
export function planMirror(source: Listing, target: Listing): MirrorPlan {
  const paths = [...source.keys()];
  return {
    add: paths.filter((path) => !target.has(path)).sort(),
    change: paths.filter((path) => target.has(path) && target.get(path) !== source.get(path)).sort(),
    remove: [...target.keys()].filter((path) => !source.has(path)).sort(),
  };
}

/** Where two listings differ, in a few words; `the same` where they do not. */
export function listingDifference(expected: Listing, actual: Listing): string {
  const { add, change, remove } = planMirror(expected, actual);
  const parts = [
    ...add.map((path) => `lacks ${path}`),
    ...change.map((path) => `has another ${path}`),
    ...remove.map((path) => `also has ${path}`),
  ];
  if (parts.length === 0) return 'the same';
  return `${parts.slice(0, 3).join(', ')}${parts.length > 3 ? ` and ${parts.length - 3} more` : ''}`;
}

/**
 * Makes the sandbox's `documents/` the same as production's, which is mounted read-only for it. Begins from what is there:
 * after an interruption it goes on. The sandbox's ERP must be stopped.
 * @throws OperatorError when it is not the same afterwards, or production's moved meanwhile.
 */
export async function mirrorDocuments(kubernetes: KubernetesClient): Promise<Mirrored> {
  return readDocuments(kubernetes, production, (source) =>
    writeSandboxDocuments(kubernetes, (target) => mirror(source, target)),
  );
}

/** Copies between two folders. Exported for tests, which need no volumes. */
export async function mirror(
  source: Pick<Folder, 'list' | 'read'>,
  target: Pick<SandboxFolder, 'list' | 'write' | 'remove'>,
): Promise<Mirrored> {
  const before = await source.list();
  const odd = [...before].filter(([, hash]) => hash === '').map(([path]) => path);
  if (odd.length > 0)
    throw unlike('plain files alone', `${odd[0]} is none`, 'take it away in production, or replace it.');
  const plan = planMirror(before, await target.list());
  // What goes first makes room: a folder may stand where a file must be.
  for (const path of plan.remove) await step(() => target.remove(path));
  for (const path of [...plan.change, ...plan.add]) {
    await step(async () => {
      const content = await source.read(path);
      if (contentHash(content) !== before.get(path)) throw moved(`${path} changed while it was read`);
      await target.write(path, content);
    });
  }
  const after = listingDifference(before, await source.list());
  if (after !== 'the same') throw moved(after);
  const difference = listingDifference(before, await target.list());
  if (difference !== 'the same') {
    throw unlike(
      'what production has',
      `it ${difference}`,
      'find out who else writes there, and run the same command again.',
    );
  }
  const { add, change, remove } = plan;
  return { files: before.size, add: add.length, change: change.length, remove: remove.length };
}

async function step(work: () => Promise<void>): Promise<void> {
  interruption()?.throwIfAborted();
  await work();
}

function moved(seen: string): OperatorError {
  return unlike(
    'production’s documents at rest',
    `production ${seen}`,
    'run the same command again when nobody uploads.',
  );
}

function unlike(expected: string, seen: string, next: string): OperatorError {
  return new OperatorError({
    attempted: 'copy production’s documents',
    where: `${sandbox.instance}-documents`,
    expected,
    seen,
    next,
  });
}
