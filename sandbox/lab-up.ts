import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { reason } from '../support/failure';
import type { Inventory } from '../support/inventory';
import { localTime } from '../support/terminal';
import { startForge, type ForgeRun } from './forge/forge';
import { beginLab, machinesUp, openLab, rewindLab, stateOfDisk } from './lab';
import { holdLab } from './lab-hold';
import { prepareHost } from './lab-host';
import { labKey } from './lab-key';
import { runStages } from './lab-stages';
import { newLabState, trackState, type LabState, type StateTracker } from './lab-state';
import { lockHolder } from './lock';
import { diskMounted } from './machines/disk';
import { diskImage, suiteLockFile } from './machines/layout';
import { bootMedia, mediaOver } from './machines/media';
import { isOn, type BootMedia } from './machines/power';
import { convergedIsDue, convergedSnapshot, listSnapshots, snapshotNamed, takeSnapshot } from './machines/snapshots';
import type { OnProgress } from './progress';
import { recover, stages, type StageContext } from './stages';

export interface UpOptions {
  /** Begin from nothing although a lab or a snapshot is there. */
  fresh: boolean;
  /** Machines, network and disk only; no stages. */
  machinesOnly: boolean;
  onProgress: OnProgress;
  signal: AbortSignal;
}

/**
 * Brings the lab up from whatever is there: nothing, a snapshot, a half-made or a running lab. Returns when the stages
 * have ended and the forge has no more to build.
 * @throws OperatorError when this host lacks something, another command holds the lab, or a stage fails.
 */
export async function labUp(inventory: Inventory, options: UpOptions): Promise<LabState> {
  const { onProgress, signal } = options;
  const say = sayer(onProgress);
  await prepareHost(inventory, { components: !options.machinesOnly }, say);
  const hold = await holdLab();
  // What failed is told at once, and not when everything has been compiled.
  const building = new AbortController();
  try {
    const both = AbortSignal.any([signal, building.signal]);
    const forge = options.machinesOnly ? undefined : startForge('all', { onProgress, signal: both });
    await openLab(say);
    signal.throwIfAborted();
    const media = await mediaFor(options);
    const key = labKey(media.base);
    const tracker = trackState(await origin(inventory, options, media, key, say));
    try {
      await bootMachines(inventory, media, tracker, say);
      if (options.machinesOnly) return tracker.state;
      await converge({ inventory, onProgress, signal }, tracker, forge, say);
    } catch (thrown) {
      tracker.save({ status: signal.aborted ? 'interrupted' : 'failed' });
      throw thrown;
    }
    // The lab is whole: from here on others may power its machines while components that no stage needs are built.
    hold.release();
    await forge?.done.catch((thrown: unknown) => say(`what no stage needs could not be built: ${reason(thrown)}`));
    return tracker.state;
  } catch (thrown) {
    building.abort(thrown);
    throw thrown;
  } finally {
    hold.release();
  }
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
  const say = sayer(options.onProgress);
  // Where no disk is there is no snapshot: none is made, and nothing installed, only to find that out.
  if (diskMounted() || !existsSync(diskImage)) snapshotNamed(snapshot);
  await prepareHost(inventory, { components: false }, say);
  const hold = await holdLab();
  try {
    await openLab(say);
    options.signal.throwIfAborted();
    const tracker = trackState(await rewindLab(inventory, snapshot));
    try {
      await bootMachines(inventory, mediaOver(tracker.state.base), tracker, say);
      const context = { inventory, onProgress: options.onProgress, signal: options.signal };
      if (options.recover && tracker.state.status === 'recovering') await makeWhole(context, tracker, say);
      tracker.save({ status: allEnded(tracker.state) ? 'up' : 'converging' });
    } catch (thrown) {
      tracker.save({ status: options.signal.aborted ? 'interrupted' : 'failed' });
      throw thrown;
    }
    return tracker.state;
  } finally {
    hold.release();
  }
}

type Say = (text: string) => void;

function sayer(onProgress: OnProgress): Say {
  return (text) => onProgress({ subject: 'lab', text, final: true });
}

/**
 * Machines that are there keep the base system they were made over when nothing but power is asked for, and when it is the
 * same by its name, which is a hash, in another cache: HOME or XDG_CACHE_HOME were set otherwise then.
 */
async function mediaFor(options: UpOptions): Promise<BootMedia> {
  const base = options.fresh ? undefined : stateOfDisk()?.base;
  const there = base !== undefined && existsSync(base);
  if (there && options.machinesOnly) return mediaOver(base);
  const media = await bootMedia({ onProgress: options.onProgress });
  return there && basename(base) === basename(media.base) ? mediaOver(base) : media;
}

/** Decides where the machines' disks come from: the lab that is there, a snapshot of the same sources, or nothing. */
async function origin(
  inventory: Inventory,
  options: UpOptions,
  media: BootMedia,
  key: string,
  say: Say,
): Promise<LabState> {
  const present = options.fresh ? undefined : stateOfDisk();
  if (present !== undefined && present.base === media.base) {
    if (present.key === key || options.machinesOnly) return present;
    say('the sources have changed since this lab was converged: every stage runs again on it');
    return { ...present, key, from: 'changed sources', stages: onlyMachines(present) };
  }
  const snapshot = options.fresh ? undefined : listSnapshots().find((candidate) => candidate.key === key);
  if (snapshot !== undefined) {
    say(`restoring snapshot ${snapshot.name} of ${localTime(snapshot.created)}`);
    return rewindLab(inventory, snapshot.name);
  }
  say('beginning from nothing');
  const state = newLabState(key, media.base);
  await beginLab(inventory, state);
  return state;
}

/** Powers on what is off, and notes what that means for the stages that ended before. */
async function bootMachines(inventory: Inventory, media: BootMedia, tracker: StateTracker, say: Say): Promise<void> {
  const timer = stopwatch();
  // On disk before the power is on: nobody takes machines that just boot for the lab that was whole.
  if (!inventory.machines.every(({ name }) => isOn(name)))
    tracker.save(allEnded(tracker.state) ? { status: 'recovering' } : { status: 'converging', stages: {} });
  const booted = await machinesUp(inventory, media);
  if (booted.length === 0) return;
  const { stages: before } = tracker.state;
  const machines = timer();
  say(`${booted.join(', ')} on after ${machines.seconds} s`);
  // What a power-on must bring back is known for a lab that was whole; one that was not runs its stages again.
  if (allEnded(tracker.state)) tracker.save({ status: 'recovering', stages: { ...before, machines } });
  else tracker.save({ stages: { machines } });
}

async function converge(
  context: StageContext,
  tracker: StateTracker,
  forge: ForgeRun | undefined,
  say: Say,
): Promise<void> {
  context.signal.throwIfAborted();
  if (tracker.state.status === 'recovering') await makeWhole(context, tracker, say);
  tracker.save({ status: 'converging' });
  noteUse(tracker);
  const ended = Object.entries(tracker.state.stages).filter(([, stage]) => stage.ended !== undefined);
  await runStages(stages, new Set(ended.map(([name]) => name)), context, {
    componentsReady: async (names) => {
      if (names.length > 0) await forge?.ready(...names);
    },
    started: (name) => {
      noteUse(tracker);
      tracker.saveStage(name, { started: new Date().toISOString() });
      context.onProgress({ subject: name, text: 'begins', final: true });
    },
    ended: (name, seconds) => {
      tracker.saveStage(name, { ...tracker.begun(name), ended: new Date().toISOString(), seconds });
      context.onProgress({ subject: name, text: `done after ${seconds} s`, final: true });
    },
    failed: (name, error) => {
      tracker.saveStage(name, { ...tracker.begun(name), error });
      context.onProgress({ subject: name, text: 'failed', final: true });
    },
  });
  noteUse(tracker);
  tracker.save({ status: 'up' });
  await keepConverged(tracker.state, say);
}

/** Makes converged machines whole that were powered on again. */
async function makeWhole(context: StageContext, tracker: StateTracker, say: Say): Promise<void> {
  const timer = stopwatch();
  await recover.run(context);
  context.signal.throwIfAborted();
  const recovered = timer();
  tracker.saveStage(recover.name, recovered);
  say(`recovered after ${recovered.seconds} s`);
}

/** Notes that a suite is at work on the lab: whatever is converged from here on is not as from nothing. */
function noteUse(tracker: StateTracker): void {
  if (tracker.state.used !== true && lockHolder(suiteLockFile) !== undefined) tracker.save({ used: true });
}

/** Takes the snapshot of a lab that was converged from nothing and that no suite has used yet. */
async function keepConverged(state: LabState, say: Say): Promise<void> {
  if (convergedIsDue(state)) {
    await takeSnapshot(convergedSnapshot, state);
    say(`snapshot ${convergedSnapshot} taken: \`npm run lab -- restore\` brings this state back`);
  } else if (convergedIsDue({ ...state, used: false })) {
    say('no snapshot taken: a suite has used this lab already (`npm run lab -- snapshot` keeps it as it is)');
  }
}

function allEnded(state: LabState): boolean {
  return stages.every((stage) => state.stages[stage.name]?.ended !== undefined);
}

function onlyMachines(state: LabState): LabState['stages'] {
  const machines = state.stages['machines'];
  return machines === undefined ? {} : { machines };
}

/** Starts now; the returned function says when it started and ended, and the seconds between. */
function stopwatch(): () => { started: string; ended: string; seconds: number } {
  const started = new Date();
  return () => {
    const ended = new Date();
    const seconds = Math.round((ended.getTime() - started.getTime()) / 100) / 10;
    return { started: started.toISOString(), ended: ended.toISOString(), seconds };
  };
}
