import { acquireLock } from './lock';
import type { Inventory } from '../support/inventory';
import { reason } from '../support/failure';
import { startForge, type ForgeRun } from './forge/forge';
import { beginLab, endOrphans, machinesUp, openLab, rewindLab, stateOfDisk } from './lab';
import { assertMet, requirements } from './lab-doctor';
import { labKey } from './lab-key';
import { runStages } from './lab-stages';
import { newLabState, writeLabState, type LabState } from './lab-state';
import { enterOperatorCgroup, leaveOperatorCgroup } from './machines/cgroups';
import { labLockFile } from './machines/layout';
import { bootMedia } from './machines/media';
import type { BootMedia } from './machines/power';
import { listSnapshots, takeSnapshot } from './machines/snapshots';
import type { OnProgress } from './progress';
import { recover, stages, type StageContext } from './stages';
import { setSecretsAside } from './machines/operator';

export interface UpOptions {
  /** Begin from nothing although a lab or a snapshot is there. */
  fresh: boolean;
  /** Machines, network and disk only; no stages. */
  machinesOnly: boolean;
  onProgress: OnProgress;
  signal: AbortSignal;
}

/** The snapshot that is taken after the lab was converged from nothing, and the first looked for. */
export const convergedSnapshot = 'converged';

/**
 * Brings the lab up from whatever is there: nothing, a snapshot, a half-made or a running lab.
 * @throws OperatorError when this host lacks something, another command holds the lab, or a stage fails.
 */
export async function labUp(inventory: Inventory, options: UpOptions): Promise<LabState> {
  assertMet(await requirements(inventory));
  const lock = acquireLock('the lab', labLockFile);
  try {
    enterOperatorCgroup();
    await endOrphans();
    return await converge(inventory, options);
  } finally {
    leaveOperatorCgroup();
    lock.release();
  }
}

async function converge(inventory: Inventory, options: UpOptions): Promise<LabState> {
  const { onProgress, signal } = options;
  const say = (text: string): void => onProgress({ subject: 'lab', text, final: true });
  const forge = options.machinesOnly ? undefined : startForge('all', { onProgress, signal });
  const media = await bootMedia({ onProgress });
  const key = labKey(media.base);
  await openLab(say);
  let state = await origin(inventory, options, media, key, say);
  const save = (change: Partial<LabState>): void => writeLabState((state = { ...state, ...change }));
  try {
    signal.throwIfAborted();
    await bootMachines(inventory, media, state, save, say);
    const context: StageContext = { inventory, onProgress, signal };
    if (state.status === 'recovering') await recovered(context, state, save, say);
    if (options.machinesOnly) return state;
    save({ status: 'converging' });
    await converged(context, forge, () => state, save, say);
    const fromScratch = state.from === 'scratch' && stages.length > 0;
    save({ status: 'up' });
    if (
      fromScratch &&
      !listSnapshots().some((snapshot) => snapshot.name === convergedSnapshot && snapshot.key === key)
    ) {
      await takeSnapshot(convergedSnapshot, key, JSON.stringify(state));
      say(`snapshot ${convergedSnapshot} taken: \`lab restore\` brings this state back`);
    }
    return state;
  } catch (thrown) {
    save({ status: signal.aborted ? 'interrupted' : 'failed' });
    throw thrown;
  }
}

/** Decides where the machines' disks come from: the lab that is there, a snapshot of the same sources, or nothing. */
async function origin(
  inventory: Inventory,
  options: UpOptions,
  media: BootMedia,
  key: string,
  say: (text: string) => void,
): Promise<LabState> {
  const present = options.fresh ? undefined : stateOfDisk();
  if (present !== undefined && present.base === media.base) {
    if (present.key === key) return present;
    say('the sources have changed since this lab was converged: every stage runs again on it');
    const machines = present.stages['machines'];
    return { ...present, key, stages: machines ? { machines } : {} };
  }
  const snapshot = options.fresh ? undefined : listSnapshots().find((candidate) => candidate.key === key);
  if (snapshot !== undefined) {
    say(`restoring snapshot ${snapshot.name} of ${snapshot.created}`);
    return rewindLab(inventory, snapshot.name);
  }
  say('beginning from nothing');
  const state = newLabState(key, media.base);
  await setSecretsAside();
  await beginLab(inventory, state);
  return state;
}

type Save = (change: Partial<LabState>) => void;

async function bootMachines(
  inventory: Inventory,
  media: BootMedia,
  state: LabState,
  save: Save,
  say: (text: string) => void,
): Promise<void> {
  const started = new Date();
  const booted = await machinesUp(inventory, media);
  const seconds = (Date.now() - started.getTime()) / 1000;
  if (booted.length > 0) say(`${booted.join(', ')} on after ${seconds.toFixed(1)} s`);
  const wasConverged = Object.keys(state.stages).some((name) => name !== 'machines');
  const machines = {
    started: started.toISOString(),
    ended: new Date().toISOString(),
    seconds: Math.round(seconds * 10) / 10,
  };
  save({
    ...(booted.length > 0 && wasConverged ? { status: 'recovering' as const } : {}),
    stages: { ...state.stages, ...(booted.length > 0 ? { machines } : {}) },
  });
}

/** Makes converged machines whole that were powered on again. */
async function recovered(
  context: StageContext,
  state: LabState,
  save: Save,
  say: (text: string) => void,
): Promise<void> {
  if (recover === undefined) return;
  const started = new Date();
  await recover.run(context);
  context.signal.throwIfAborted();
  const seconds = Math.round((Date.now() - started.getTime()) / 100) / 10;
  save({
    stages: { ...state.stages, recover: { started: started.toISOString(), ended: new Date().toISOString(), seconds } },
  });
  say(`recovered after ${seconds} s`);
}

async function converged(
  context: StageContext,
  forge: ForgeRun | undefined,
  state: () => LabState,
  save: Save,
  say: (text: string) => void,
): Promise<void> {
  const done = new Set(
    Object.entries(state().stages).flatMap(([name, stage]) => (stage.ended === undefined ? [] : [name])),
  );
  const record = (name: string, change: Partial<LabState['stages'][string]>): void => {
    const before = state().stages[name] ?? { started: new Date().toISOString() };
    save({ stages: { ...state().stages, [name]: { ...before, ...change } } });
  };
  await runStages(stages, done, context, {
    componentsReady: async (names) => {
      if (names.length > 0) await forge?.ready(...names);
    },
    started: (name) => {
      save({ stages: { ...state().stages, [name]: { started: new Date().toISOString() } } });
      context.onProgress({ subject: name, text: 'begins', final: true });
    },
    ended: (name, seconds) => {
      record(name, { ended: new Date().toISOString(), seconds });
      context.onProgress({ subject: name, text: `done after ${seconds} s`, final: true });
    },
    failed: (name, error) => {
      record(name, { error });
      context.onProgress({ subject: name, text: 'failed', final: true });
    },
  });
  await forge?.done.catch((thrown: unknown) => say(`a component no stage needs could not be built: ${reason(thrown)}`));
}

/**
 * Goes back to a snapshot: the machines are cut, their disks and the operator's secrets replaced, the machines powered on
 * and, unless told otherwise, made whole.
 */
export async function labRestore(
  inventory: Inventory,
  snapshot: string,
  options: { recover: boolean; onProgress: OnProgress; signal: AbortSignal },
): Promise<LabState> {
  assertMet(await requirements(inventory));
  const lock = acquireLock('the lab', labLockFile);
  const say = (text: string): void => options.onProgress({ subject: 'lab', text, final: true });
  try {
    enterOperatorCgroup();
    await endOrphans();
    const media = await bootMedia({ onProgress: options.onProgress });
    await openLab(say);
    let state = await rewindLab(inventory, snapshot);
    const save = (change: Partial<LabState>): void => writeLabState((state = { ...state, ...change }));
    await bootMachines(inventory, media, state, save, say);
    if (options.recover && state.status === 'recovering') {
      await recovered({ inventory, onProgress: options.onProgress, signal: options.signal }, state, save, say);
    }
    save({ status: stages.every((stage) => state.stages[stage.name]?.ended !== undefined) ? 'up' : 'converging' });
    return state;
  } finally {
    leaveOperatorCgroup();
    lock.release();
  }
}
