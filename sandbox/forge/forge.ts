import { mkdir } from 'node:fs/promises';
import { acquireLock, lockHolder } from '../lock';
import type { OnProgress } from '../progress';
import { compile, prepare, type BuildContext, type Prepared } from './build';
import { cachesLeft, dropCaches, forgeCaches, planCaches } from './caches';
import { requireGo } from './go';
import type { Recipe } from './recipe';
import { selectRecipes } from './recipes';
import { verifyComponent } from './states';
import { forgeLock, forgeStore, forgeWork, type ForgeStore } from './store';

export interface ForgeOptions {
  store?: ForgeStore;
  onProgress?: OnProgress;
  signal?: AbortSignal;
  /** Read every byte of what is built already (see VerifyOptions). */
  thorough?: boolean;
}

/** A forge at work. */
export interface ForgeRun {
  /** Resolves as soon as these components are built; rejects with the failure that makes it impossible. */
  ready(...names: string[]): Promise<void>;
  /** Resolves when all are built. */
  done: Promise<void>;
}

/**
 * Builds what of `names` is missing, outdated or corrupt, in build order. Await `ready('kubernetes', 'etcd')` to go on
 * while later components still build.
 */
export function startForge(names: readonly string[] | 'all', options: ForgeOptions = {}): ForgeRun {
  const chosen = selectRecipes(names);
  const gates = new Map(chosen.map((recipe) => [recipe.name, gate()]));
  const done = forge(chosen, options, (name) => gates.get(name)?.resolve()).catch((thrown: unknown) => {
    for (const { reject } of gates.values()) reject(thrown);
    throw thrown;
  });
  // Whoever awaits sees the failure; one that nobody awaits must not end the process.
  for (const promise of [done, ...[...gates.values()].map(({ promise }) => promise)]) promise.catch(() => undefined);
  return {
    done,
    ready: async (...wanted) => {
      await Promise.all(selectRecipes(wanted).map((recipe) => gates.get(recipe.name)?.promise ?? done));
    },
  };
}

/**
 * Makes sure that components are built and intact; returns when all are.
 * @throws OperatorError when another forge holds the lock, Go, disk or network are lacking, or a build fails.
 */
export async function ensureComponents(names: readonly string[] | 'all', options: ForgeOptions = {}): Promise<void> {
  await startForge(names, options).done;
}

async function forge(chosen: Recipe[], options: ForgeOptions, built: (name: string) => void): Promise<void> {
  const store = options.store ?? forgeStore();
  const onProgress = options.onProgress ?? (() => undefined);
  const work = forgeWork(store);
  if ((await missingOf(chosen, store, options, built)).length === 0) {
    if (cachesLeft(work) && lockHolder(forgeLock(store)) === undefined) await withLock(store, () => dropCaches(work));
    return;
  }
  await withLock(store, async () => {
    // Again under the lock: another forge may have built them meanwhile.
    const missing = await missingOf(chosen, store, options, built, onProgress);
    const plan = await planCaches(missing, work);
    const context: BuildContext = { store, caches: forgeCaches(work), work, onProgress, signal: options.signal };
    await requireGo();
    await mkdir(context.work, { recursive: true });
    try {
      if (plan === 'shared') await buildOverlapping(missing, context, built);
      else await buildOneByOne(missing, context, built);
    } catch (thrown) {
      // What was compiled so far is kept for the next attempt; an attempt that works drops it.
      onProgress({ subject: 'forge', text: 'stopped; the next run goes on where this one ended', final: true });
      throw thrown;
    }
    await dropCaches(work);
  });
}

interface Gate {
  promise: Promise<void>;
  resolve: () => void;
  reject: (thrown: unknown) => void;
}

/** A promise to be settled from outside (Promise.withResolvers needs Node 22). */
function gate(): Gate {
  let resolve: Gate['resolve'] = () => undefined;
  let reject: Gate['reject'] = () => undefined;
  const promise = new Promise<void>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  return { promise, resolve, reject };
}

async function withLock(store: ForgeStore, act: () => Promise<void>): Promise<void> {
  const lock = acquireLock('the forge', forgeLock(store));
  try {
    await act();
  } finally {
    lock.release();
  }
}

async function missingOf(
  chosen: readonly Recipe[],
  store: ForgeStore,
  options: ForgeOptions,
  built: (name: string) => void,
  tell?: OnProgress,
): Promise<Recipe[]> {
  const missing: Recipe[] = [];
  for (const recipe of chosen) {
    const { state, why } = await verifyComponent(recipe, { store, thorough: options.thorough ?? false });
    if (state === 'built') {
      built(recipe.name);
      continue;
    }
    missing.push(recipe);
    if (state !== 'missing') tell?.({ subject: recipe.name, text: `${state}: ${why}; building it again`, final: true });
  }
  return missing;
}

/** The next component's modules are downloaded while one compiles: the network and the processors are busy together. */
async function buildOverlapping(
  missing: readonly Recipe[],
  context: BuildContext,
  built: (name: string) => void,
): Promise<void> {
  let upcoming = startPreparing(missing[0], context);
  for (const [index, recipe] of missing.entries()) {
    const prepared = await upcoming;
    upcoming = startPreparing(missing[index + 1], context);
    if (prepared !== undefined) await compile(prepared, context);
    built(recipe.name);
  }
}

/** A failed download is reported when its turn comes, not while the one before still compiles. */
function startPreparing(recipe: Recipe | undefined, context: BuildContext): Promise<Prepared | undefined> {
  const preparing = recipe === undefined ? Promise.resolve(undefined) : prepare(recipe, context);
  preparing.catch(() => undefined);
  return preparing;
}

async function buildOneByOne(
  missing: readonly Recipe[],
  context: BuildContext,
  built: (name: string) => void,
): Promise<void> {
  for (const recipe of missing) {
    await compile(await prepare(recipe, context), context);
    built(recipe.name);
    await dropCaches(context.work);
    await mkdir(context.work, { recursive: true });
  }
}
