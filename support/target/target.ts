import type { CommandOptions, CommandResult } from '../command';
import { OperatorError } from '../failure';
import type { Finding } from '../finding';
import type { Inventory } from '../inventory';

/**
 * How real a component is on a target (docs/architecture.md). `unknown`: it answers, but nothing it shows proves what it is;
 * as little as a stand-in for promotion.
 */
export type Provenance = 'upstream' | 'substitute' | 'stand-in' | 'unknown';

/** A component of the target as a report names it. */
export interface Part {
  name: string;
  version: string;
  provenance: Provenance;
  /** What it plays, when its name does not say so: "k3s" for Kubernetes. */
  role?: string;
  /** What proves the provenance, or why nothing does, where it was detected and not known beforehand. */
  basis?: string;
}

/** What a target can do beyond serving its endpoints. A scenario asks for one with `@capability:NAME`. */
export const capabilities = ['power', 'power-cut', 'ssh', 'snapshot', 'three-machines', 'counted-edge'] as const;
export type Capability = (typeof capabilities)[number];

/** Power of a machine: `off` lets services stop, `cut` pulls the plug. */
export type PowerAction = 'on' | 'off' | 'cut';

/** A sandbox the suite can drive. The only way from the suite to the lab. */
export interface Target {
  readonly name: string;
  readonly inventory: Inventory;
  readonly capabilities: ReadonlySet<Capability>;
  /** Names of the stages in the order in which they become ready; scenarios name them with `@needs:NAME`. */
  stages(): readonly string[];
  /** Whether a stage is ready: `met`, `unmet` (not yet), or `unmet` and `final` when it will not become ready by itself. */
  ready(stage: string): Promise<Finding>;
  /** Tells this sandbox from one made anew under the same name; undefined when there is none. */
  identity(): string | undefined;
  /**
   * Keeps the target for this process, so that two suites do not test each other's doings.
   * @returns a function that gives it back.
   * @throws OperatorError naming who holds it.
   */
  occupy(): () => void;
  /** Every component with version and provenance. */
  parts(): Promise<Part[]>;
  /** Several machines are switched at once. @throws OperatorError when a machine is unknown or does not obey. */
  power(machine: string | readonly string[], action: PowerAction): Promise<void>;
  /**
   * Packets that were on their way out of the target since it came up, by where they were counted; undefined when the
   * target has no edge that counts.
   */
  packetsLeaving(): Promise<Readonly<Record<string, number>> | undefined>;
  /** Runs a program on a machine as root. @throws OperatorError when it fails, unless `allowFailure`. */
  onMachine(machine: string, command: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /**
   * Checks, before any scenario runs, that the target can be brought up from here, and installs what a package provides.
   * Does nothing for a target that is up.
   * @throws OperatorError (exit code 2) naming what is lacking.
   */
  prepare(say: (line: string) => void, options: BringUpOptions): Promise<void>;
  /**
   * Starts bringing the target up when it is not, and returns at once: scenarios wait for their own stages.
   * @param say receives each line of progress.
   */
  bringUp(say: (line: string) => void, options: BringUpOptions): BringUp;
}

export interface BringUpOptions {
  /** A target that is up is used although the sources it was converged from have changed since. */
  asIs: boolean;
}

/** A target on its way up. */
export interface BringUp {
  /** True when there was nothing to do. */
  readonly alreadyUp: boolean;
  /** Resolves when the target is up; rejects with an OperatorError when it cannot be. */
  readonly done: Promise<void>;
  /** Ends it as Ctrl-C would; it can be resumed by the next run. */
  stop(): void;
}

/** Why a scenario was not run: the target cannot do it, or this environment lacks something. Neither is green for promotion. */
export type SkipKind = 'capability' | 'environment';

/** The failure of asking a target for what it cannot do. */
export function notCapable(target: string, capability: Capability): OperatorError {
  return new OperatorError({
    attempted: `use ${capability}`,
    where: `target ${target}`,
    expected: `a target that can do it`,
    next: `run on another target (TARGET=embedded), or tag the scenario @capability:${capability} so that it is skipped with that reason.`,
  });
}
