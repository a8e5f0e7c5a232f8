import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { prepareHost } from '../../sandbox/lab-host';
import { labKey } from '../../sandbox/lab-key';
import { readLabState, stageReady } from '../../sandbox/lab-state';
import { acquireLock, lockHolder } from '../../sandbox/lock';
import { edgeCounters } from '../../sandbox/machines/edge';
import { labLockFile, labStateFile, suiteLockFile } from '../../sandbox/machines/layout';
import { sshArguments } from '../../sandbox/machines/operator';
import { initPid } from '../../sandbox/machines/power';
import { stages } from '../../sandbox/stages';
import { childEnvironment, projectSettings, run, type CommandOptions, type CommandResult } from '../command';
import { OperatorError } from '../failure';
import type { Finding } from '../finding';
import { readInventory, type Machine } from '../inventory';
import { projectRoot } from '../paths';
import { assertLabPossible } from './lab-possible';
import {
  capabilities,
  type BringUp,
  type BringUpOptions,
  type Capability,
  type Part,
  type PowerAction,
  type Target,
} from './target';

const secondLine = join(projectRoot, 'support', 'isolation', 'preload.ts');
const labCommand = ['-r', 'ts-node/register', '-r', secondLine, join(projectRoot, 'sandbox', 'main.ts')];

const statusShape = z
  .object({
    components: z.array(
      z
        .object({
          name: z.string(),
          version: z.string(),
          provenance: z.enum(['upstream', 'substitute', 'stand-in']),
          role: z.string().optional(),
        })
        .loose(),
    ),
  })
  .loose();

/** The lab that this project brings up on one Linux machine: driven by its state file, its commands and SSH. */
export class EmbeddedTarget implements Target {
  readonly name = 'embedded';
  readonly inventory = readInventory();
  readonly capabilities: ReadonlySet<Capability> = new Set(capabilities);
  /** When this process started `lab up`, in milliseconds since the epoch. */
  private startedMs: number | undefined;
  /** True while the `lab up` that this process started is running. */
  private comingUp = false;
  /** What to do next after that `lab up` failed. */
  private failure: string | undefined;

  stages(): readonly string[] {
    // Powering the machines on is recorded like a stage, before all others.
    return ['machines', ...stages.map((stage) => stage.name)];
  }

  async ready(stage: string): Promise<Finding> {
    const state = readLabState();
    const entry = state?.stages[stage];
    const finding = { subject: `stage ${stage} of the lab`, expected: 'ended', source: "the lab's state file" };
    if (!this.stages().includes(stage)) {
      const hint = `use one of ${this.stages().join(', ')} in the @needs: tag.`;
      return { ...finding, status: 'unmet', final: true, actual: 'no such stage', hint };
    }
    const off = this.machinesOff();
    const ready = stageReady(state, stage) && off.length === 0 && !this.isStale();
    if (ready) return { ...finding, status: 'met', actual: 'ended' };
    const written = entry?.error ?? (entry ? `${state?.status ?? 'unknown'}, begun ${entry.started}` : 'not begun');
    const actual = state === undefined ? 'the lab is not up' : off.length > 0 ? `${off.join(', ')} off` : written;
    if (this.failure !== undefined) {
      return { ...finding, status: 'unmet', final: true, actual, hint: this.failure };
    }
    if (!this.comingUp && lockHolder(labLockFile) === undefined) {
      const hint =
        'bring the lab up with `npm run lab -- up`, or run the features with `npm run suite`, which does so.';
      return { ...finding, status: 'unmet', final: true, actual, hint };
    }
    return { ...finding, status: 'unmet', actual };
  }

  private machinesOff(): string[] {
    return this.inventory.machines.map(({ name }) => name).filter((name) => initPid(name) === undefined);
  }

  /** What an earlier `lab up` wrote says nothing of the one that this process has just started. */
  private isStale(): boolean {
    return this.startedMs !== undefined && statSync(labStateFile).mtimeMs < this.startedMs;
  }

  identity(): string | undefined {
    return readLabState()?.labId;
  }

  occupy(): () => void {
    // A run of the planted faults holds the lab for all the suites it starts.
    if (lockHolder(suiteLockFile)?.pid === process.ppid) return () => undefined;
    assertLabPossible();
    const lock = acquireLock('the suite', suiteLockFile);
    return () => lock.release();
  }

  async parts(): Promise<Part[]> {
    const { stdout } = await run('node', [...labCommand, 'status', '--json'], { cwd: projectRoot });
    return statusShape.parse(JSON.parse(stdout)).components.map(({ name, version, provenance, role }) => ({
      name,
      version,
      provenance,
      ...(role === undefined ? {} : { role }),
    }));
  }

  async power(machine: string | readonly string[], action: PowerAction): Promise<void> {
    const names = [machine].flat();
    for (const name of names) this.machine(name);
    await run('node', [...labCommand, 'power', action, ...names], { cwd: projectRoot });
  }

  onMachine(machine: string, command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return run('ssh', [...sshArguments(this.machine(machine)), '--', ...command], options);
  }

  async packetsLeaving(): Promise<Readonly<Record<string, number>>> {
    const { outOfLab, labToProduction, hostToProduction, forwarded } = await edgeCounters();
    return {
      'out of the lab': outOfLab,
      'from the lab to production': labToProduction,
      'from this host to production': hostToProduction,
      'between the lab and other networks': forwarded,
    };
  }

  async prepare(say: (line: string) => void, options: BringUpOptions): Promise<void> {
    if (!this.isUp(options)) await prepareHost(this.inventory, { components: true }, say);
  }

  bringUp(say: (line: string) => void, options: BringUpOptions): BringUp {
    return this.isUp(options) ? nothingToDo : this.startLab(say);
  }

  private isUp({ asIs }: BringUpOptions): boolean {
    const state = readLabState();
    if (state?.status !== 'up' || this.machinesOff().length > 0) return false;
    return asIs || state.key === labKey(state.base);
  }

  private startLab(say: (line: string) => void): BringUp {
    this.startedMs = Date.now();
    this.comingUp = true;
    // A process group of its own: Ctrl-C on the suite's terminal reaches it once, through `stop`.
    const child = spawn('node', [...labCommand, 'up'], {
      cwd: projectRoot,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: childEnvironment(projectSettings()),
    });
    const last: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        last.push(line);
        if (last.length > 8) last.shift();
        say(line);
      });
    }
    const done = new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        this.comingUp = false;
        if (code === 0) return resolve();
        const failure = new OperatorError({
          attempted: 'bring the lab up',
          seen: last.join(' | '),
          next: 'follow the last lines above, then run the same command again: what was done is kept.',
        });
        this.failure = 'read what `lab |` said above, then bring the lab up by itself: `npm run lab -- up`.';
        reject(failure);
      });
    });
    // The gates of the scenarios report this failure first; whoever awaits `done` sees it as well.
    done.catch(() => undefined);
    let stopped = false;
    // A second one would end it at once, in the middle of what it leaves in order.
    const stop = (): void => {
      if (!stopped) stopped = child.kill('SIGINT');
    };
    return { alreadyUp: false, done, stop };
  }

  private machine(name: string): Machine {
    const machine = this.inventory.machines.find((candidate) => candidate.name === name);
    if (machine) return machine;
    throw new OperatorError({
      attempted: 'find the machine',
      where: name,
      expected: `one of ${this.inventory.machines.map((candidate) => candidate.name).join(', ')}`,
      next: 'name one of these in the feature.',
    });
  }
}

const nothingToDo: BringUp = { alreadyUp: true, done: Promise.resolve(), stop: () => undefined };
