import type { Finding } from '../support/finding';
import type { DrillContext } from './definition';
import type { Follower } from './follow';
import type { Recorder, RecorderOptions } from './recorder';
import type { Problem, Runbook, Section } from './runbook/document';
import type { OperatorShell } from './shell';

/** Takes the operator's place: follows the sections in another way than by running every step. */
export type Operator = (sections: readonly Section[], follower: Follower, recorder: Recorder) => Promise<boolean>;

/** How a drill is run. */
export interface DrillOptions extends RecorderOptions {
  /** Another document than that of RUNBOOK: a mutated one. */
  runbook?: { runbook: Runbook; problems: Problem[] };
  /** Leaves the fault out: such a drill must be inconclusive. */
  skipInjection?: boolean;
  operator?: Operator;
  /** Drops the undo that whoever left the drill had on disk, once this run has registered its own. */
  release?: () => void;
  /** The longest wait for a recovery that is not there when the runbook has ended, in milliseconds: a mutant is not waited for long. */
  patienceMs?: number;
  /** Another steady state, and another shell than the operator's: for tests without a sandbox. */
  steadyState?: (context: DrillContext) => Promise<Finding[]>;
  shell?: OperatorShell;
  /** Receives each line of progress. */
  say?: (line: string) => void;
}
