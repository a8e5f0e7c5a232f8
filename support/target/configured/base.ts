import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { acquireLock, lockHolder } from '../../../sandbox/lock';
import { readClusterAccess } from '../../configuration/inventory';
import { chosenConfiguration, type ConfiguredTarget, type ReadConfiguration } from '../../configuration/read';
import type { Configuration } from '../../configuration/shape';
import type { CommandOptions, CommandResult } from '../../command';
import { OperatorError, reason } from '../../failure';
import type { Finding } from '../../finding';
import { readInventory, type Inventory } from '../../inventory';
import { connectKubernetes } from '../../kubernetes/client';
import { targetHome } from '../../paths';
import type { BringUp, Capability, Part, PowerAction, Target } from '../target';
import { assertInsideBoundary, assertOwnCluster, probeCluster } from './boundary';
import { readiness, standsOn } from './readiness';
import type { Mirrors } from './image';
import { detectParts } from './provenance';

/** How long a part that does not answer may take to come back before a scenario that needs it fails. Milliseconds. */
const patienceMs = 300_000;

/**
 * A sandbox that somebody else brought up and `sandbox.config.yaml` describes. What it is made of is asked of it; nothing
 * is assumed because a name says so.
 */
export abstract class ConfiguredTargetBase<C extends Configuration> implements Target {
  abstract readonly name: ConfiguredTarget;
  abstract readonly capabilities: ReadonlySet<Capability>;
  readonly inventory: Inventory;
  protected readonly configuration: C;
  /** Since when a stage has not been ready, in milliseconds of this process. */
  private readonly waitingSince = new Map<string, number>();

  /** @throws OperatorError (exit code 2) when the configuration is wrong, (exit code 3) when it leads out of the boundary. */
  constructor(
    readonly read: ReadConfiguration & { configuration: C },
    private readonly home: string = targetHome,
  ) {
    this.configuration = read.configuration;
    this.inventory = readInventory();
    assertInsideBoundary(read, this.inventory);
  }

  stages(): readonly string[] {
    return ['machines', ...Object.keys(readiness)];
  }

  async ready(stage: string): Promise<Finding> {
    if (!this.stages().includes(stage)) {
      const hint = `use one of ${this.stages().join(', ')} in the @needs: tag.`;
      const finding = { subject: `stage ${stage}`, expected: 'ready', source: `target ${this.name}` };
      return { ...finding, status: 'unmet', final: true, actual: 'no such stage', hint };
    }
    const found = await this.ask(stage);
    if (found.status === 'met') {
      this.waitingSince.delete(stage);
      return found;
    }
    const since = this.waitingSince.get(stage) ?? performance.now();
    this.waitingSince.set(stage, since);
    const spent = performance.now() - since > patienceMs;
    const hint = found.hint ?? `look at ${found.source}.`;
    return { ...found, hint, ...(spent ? { final: true } : {}) };
  }

  /** The first part below a stage that is not ready, or the stage's own finding. */
  private async ask(stage: string): Promise<Finding> {
    for (const below of standsOn[stage] ?? []) {
      const found = await this.ask(below);
      if (found.status !== 'met') return found;
    }
    try {
      return stage === 'machines'
        ? await this.machinesReady()
        : await (readiness[stage] as (typeof readiness)[string])(this.inventory);
    } catch (thrown) {
      return {
        subject: `stage ${stage}`,
        status: 'unmet',
        expected: 'ready',
        actual: reason(thrown),
        source: `target ${this.name}`,
      };
    }
  }

  /** Whether the machines themselves are there. */
  protected abstract machinesReady(): Promise<Finding>;

  /** A cluster made anew has another CA: what was registered for the old one is not undone in the new one. */
  identity(): string | undefined {
    const { server, authority } = readClusterAccess(this.configuration.kubernetes.kubeconfig);
    return `${this.name} ${createHash('sha256').update(`${server} ${authority}`).digest('hex').slice(0, 16)}`;
  }

  occupy(): () => void {
    const file = join(this.home, 'suite.lock');
    // A run of the planted faults holds the target for all the suites it starts.
    if (lockHolder(file)?.pid === process.ppid) return () => undefined;
    const lock = acquireLock(`target ${this.name}`, file);
    return () => lock.release();
  }

  parts(): Promise<Part[]> {
    return detectParts(this.inventory, () => this.mirrors());
  }

  /** Registries that the nodes do not pull from themselves; undefined when nobody can look. */
  protected abstract mirrors(): Promise<Mirrors>;

  abstract power(machine: string, action: PowerAction): Promise<void>;
  abstract onMachine(machine: string, command: readonly string[], options?: CommandOptions): Promise<CommandResult>;

  /** Nobody counts packets at the edge of somebody else's network. */
  packetsLeaving(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** @throws OperatorError (exit code 3) when the cluster that answers is not the one described. */
  async prepare(say: (line: string) => void): Promise<void> {
    const machines = await this.ask('machines');
    if (machines.status !== 'met') {
      throw new OperatorError({
        attempted: `use the target ${this.name}`,
        where: this.read.file,
        expected: `${machines.subject}: ${machines.expected}`,
        seen: machines.actual,
        next: 'bring the machines up (`npm run target -- check` says what answers) and run the same command again.',
        exitCode: 2,
      });
    }
    assertOwnCluster(this.read, await probeCluster(this.read, connectKubernetes()));
    say(`target ${this.name} of ${this.read.file}: ${machines.actual}; every node lies inside the boundary`);
  }

  /** It is its operator's to bring up. */
  bringUp(): BringUp {
    return { alreadyUp: true, done: Promise.resolve(), stop: () => undefined };
  }
}

/** The configuration for a target of this name. @throws OperatorError (exit code 2). */
export function configurationOf<T extends ConfiguredTarget>(
  name: T,
): ReadConfiguration & { configuration: Extract<Configuration, { target: T }> } {
  const chosen = chosenConfiguration(name);
  if (chosen === undefined) throw new Error(`${name} has no configuration`);
  if ('failure' in chosen) throw chosen.failure;
  return chosen.read as ReadConfiguration & { configuration: Extract<Configuration, { target: T }> };
}
