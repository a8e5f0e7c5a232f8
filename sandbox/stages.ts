import type { Inventory } from '../support/inventory';
import type { OnProgress } from './progress';

/** What a stage may use. */
export interface StageContext {
  inventory: Inventory;
  /** Shows what is being done; the subject is the stage's name. */
  onProgress: OnProgress;
  /** Ends children and waits when the operator presses Ctrl-C. */
  signal: AbortSignal;
}

/**
 * One part of bringing the lab up, after its machines are on. A stage can be run again at any time: after a failure, an
 * interruption or a change of the factory, `lab up` runs it once more on what is there.
 */
export interface Stage {
  /** Also the name that scenarios wait for with `@needs:NAME`. */
  name: string;
  /** Stages that must have ended before. */
  needs: string[];
  /** Components of the forge that must be built before (sandbox/forge/recipes.ts). */
  components: string[];
  run(context: StageContext): Promise<void>;
}

/** The stages of `lab up`, in the order in which they are shown. */
export const stages: Stage[] = [];

/** Run whenever converged machines were powered on again, from a snapshot or after the host restarted: unsealing and the like. */
export const recover: Stage | undefined = undefined as Stage | undefined;
