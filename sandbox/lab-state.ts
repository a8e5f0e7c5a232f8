import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { reason } from '../support/failure';
import { labStateFile } from './machines/layout';

const stageShape = z.object({
  /** ISO 8601. */
  started: z.string(),
  /** Set when the stage ended well. */
  ended: z.string().optional(),
  seconds: z.number().optional(),
  /** Why it did not end well. */
  error: z.string().optional(),
});

const stateShape = z.object({
  /** Belongs to the machines' disks: the same id lies on them. */
  labId: z.string(),
  /** What the lab was converged from; see lab-key.ts. */
  key: z.string(),
  /** The base system under the machines' disks: they cannot be used over another one. */
  base: z.string(),
  /**
   * `converging`: stages run. `recovering`: converged machines were powered on again and are being made whole.
   * `up`: all stages ended. `failed`: a stage failed; `interrupted`: somebody ended `lab up`. Both go on with `lab up`.
   */
  status: z.enum(['converging', 'recovering', 'up', 'failed', 'interrupted']),
  /** ISO 8601: when this `lab up` began. */
  since: z.string(),
  /** Where the machines' disks came from: "scratch", or the snapshot's name. */
  from: z.string(),
  /** A suite was at work on it while `lab up` was: it is not what was converged from nothing any more. */
  used: z.boolean().optional(),
  /** Which boot of this host wrote it (proc/sys/kernel/random/boot_id). */
  bootId: z.string().optional(),
  stages: z.record(z.string(), stageShape),
});

/** The state of one stage as `lab up` records it. */
export type StageState = z.infer<typeof stageShape>;

/** What `lab up` has done so far, rewritten as each stage begins and ends. */
export type LabState = z.infer<typeof stateShape>;

/** The state of a lab that begins from nothing. */
export function newLabState(key: string, base: string): LabState {
  return {
    labId: randomUUID(),
    key,
    base,
    status: 'converging',
    since: new Date().toISOString(),
    from: 'scratch',
    stages: {},
  };
}

/**
 * Reads a state file; undefined when there is none or it is not one of this version: the lab is then begun anew. After a
 * restart of the host the machines are off, so what was `up` is to be recovered.
 */
export function readLabState(file: string = labStateFile): LabState | undefined {
  try {
    const state = stateShape.parse(JSON.parse(readFileSync(file, 'utf8')));
    const restarted = state.bootId !== undefined && state.bootId !== bootId();
    return restarted && state.status === 'up' ? { ...state, status: 'recovering' } : state;
  } catch (thrown) {
    if (
      (thrown as NodeJS.ErrnoException).code === 'ENOENT' ||
      thrown instanceof z.ZodError ||
      thrown instanceof SyntaxError
    )
      return undefined;
    throw new Error(`${file}: ${reason(thrown)}`, { cause: thrown });
  }
}

/** Writes a state file in one step: readers see the old one or the new one. */
export function writeLabState(state: LabState, file: string = labStateFile): void {
  const draft = `${file}.new`;
  writeFileSync(draft, `${JSON.stringify({ ...state, bootId: bootId() }, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** True when a stage has ended well and nothing is being recovered under it: what a scenario that needs it waits for. */
export function stageReady(state: LabState | undefined, stage: string): boolean {
  return state !== undefined && state.status !== 'recovering' && state.stages[stage]?.ended !== undefined;
}

/** The state that one command keeps up to date on disk. */
export interface StateTracker {
  readonly state: LabState;
  save(change: Partial<LabState>): void;
  saveStage(name: string, stage: StageState): void;
  /** What the state says of a stage that has begun. */
  begun(name: string): StageState;
}

/** Keeps a state in memory and on disk the same. */
export function trackState(first: LabState): StateTracker {
  let state = first;
  const save = (change: Partial<LabState>): void => {
    state = { ...state, ...change };
    writeLabState(state);
  };
  save({});
  return {
    get state() {
      return state;
    },
    save,
    saveStage: (name, stage) => save({ stages: { ...state.stages, [name]: stage } }),
    begun: (name) => state.stages[name] ?? { started: new Date().toISOString() },
  };
}
