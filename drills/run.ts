import { AwaitTimeout, eventually } from '../support/eventually';
import { reason } from '../support/failure';
import { worst, type Finding } from '../support/finding';
import { interruption, isInterrupted, shielded } from '../support/interruption';
import type { Target } from '../support/target';
import { UndoJournal } from '../support/undo';
import { contractOf, drillContext, type DrillContext, type DrillDefinition } from './definition';
import { follow, type Follower } from './follow';
import type { Journal, Phase, StepRecord, Verdict } from './journal';
import { splitRecovery } from './recovery-time';
import { problemLine, type Block, type Runbook, type Section } from './runbook/document';
import { readRunbook } from './runbook/read';
import { checkRunbook } from './runbook/rules';
import { Recorder } from './recorder';
import { openOperatorShell, type OperatorShell } from './shell';
import { probeSteadyState } from './steady-state';
import { drillUndo } from './undo';

/** How often in a row everything must hold for a recovery to be proven. */
export const passesNeeded = 3;
/** How long a change under way (a lease's rollout) may hold up a drill's beginning, in milliseconds. */
const settlingMs = 30_000;
/** How long the sandbox may need to be whole again after the undo, in milliseconds. */
const afterUndoMs = 180_000;

/** How a drill is run. */
export interface DrillOptions {
  /** Another document than that of RUNBOOK: a mutated one. */
  runbook?: { runbook: Runbook; problems: { line: number; says: string }[] };
  /** Leaves the fault out: such a drill must be inconclusive. */
  skipInjection?: boolean;
  /** Takes the operator's place: follows the sections in another way than by running them. */
  operator?: (sections: readonly Section[], follower: Follower, recorder: Recorder) => Promise<boolean>;
  /** Leaves the check of the common steady state out of gate and proof: for tests without a sandbox. */
  steadyState?: (context: DrillContext) => Promise<Finding[]>;
  /** Another shell than the operator's: for tests without a sandbox. */
  shell?: OperatorShell;
  /** Receives each line of progress. */
  say?: (line: string) => void;
}

/** Ends a drill with a verdict that is settled before its last phase. */
class Settled extends Error {
  constructor(
    readonly verdict: Verdict,
    reason: string,
  ) {
    super(reason);
  }
}

/**
 * Runs a drill to its verdict: gate, undo on disk, injection, detection, the runbook's sections, proof of recovery, undo,
 * one more check. Never throws for the verdict; the journal is on disk after every step.
 * @throws the reason of an interruption, after the undo, with the journal ended as inconclusive.
 */
export async function runDrill(target: Target, drill: DrillDefinition, options: DrillOptions = {}): Promise<Journal> {
  const read = options.runbook ?? readRunbook();
  const recorder = new Recorder(target, drill, read.runbook, options);
  const run = new DrillRun(target, drill, recorder, options);
  const undo = new UndoJournal(`drill ${drill.id}`, target.identity());
  try {
    await run.gate(read);
    await run.registered(undo);
    const injected = await run.inject();
    await run.detect();
    const { passed, at } = await run.follow(read.runbook);
    await run.recover(passed, { injected, followed: at });
  } catch (thrown) {
    if (thrown instanceof Settled) recorder.settle(thrown.verdict, thrown.message);
    else if (isInterrupted()) recorder.settle('inconclusive', `It was interrupted: ${reason(thrown)}`);
    else recorder.settle('failed', reason(thrown));
  }
  await shielded(() => run.undoAndCheck(undo));
  recorder.finish();
  interruption()?.throwIfAborted();
  return recorder.journal;
}

class DrillRun {
  private readonly context: DrillContext;
  private memory: unknown;
  private detected = 0;
  private began = false;

  constructor(
    target: Target,
    private readonly drill: DrillDefinition,
    private readonly recorder: Recorder,
    private readonly options: DrillOptions,
  ) {
    this.context = drillContext(target, (name, text) => recorder.observe(name, text));
  }

  /** The runbook is in order, the target can do it, and the sandbox is in its steady state. */
  gate({ runbook, problems }: NonNullable<DrillOptions['runbook']>): Promise<void> {
    return this.phase('gate', async () => {
      const { target } = this.context;
      const lacking = this.drill.capabilities.filter((one) => !target.capabilities.has(one));
      if (lacking.length > 0)
        throw new Settled('blocked', `The target ${target.name} cannot do ${lacking.join(', ')}.`);
      const wrong = [...problems, ...(await checkRunbook(runbook, [contractOf(this.drill)]))];
      if (wrong.length > 0) throw new Settled('blocked', wrong.map((one) => problemLine(runbook.path, one)).join('\n'));
      const known = this.recorder.facts();
      await this.proveSteady('gate', settlingMs, 1).catch((thrown: unknown) => {
        if (!(thrown instanceof AwaitTimeout)) throw thrown;
        throw new Settled('blocked', `The sandbox was not in its steady state before: ${thrown.message}`);
      });
      await known;
      this.memory = this.drill.memory.parse(await this.drill.prepare(this.context));
    });
  }

  registered(undo: UndoJournal): Promise<void> {
    return this.phase('undo-registered', () => {
      undo.register(
        `the sandbox is whole after drill ${this.drill.id}`,
        drillUndo({ drill: this.drill.id, memory: this.memory }),
      );
      this.began = true;
      return Promise.resolve();
    });
  }

  /** @returns when the fault was there, in milliseconds since the epoch. */
  inject(): Promise<number> {
    return this.phase('inject', async () => {
      if (this.options.skipInjection !== true) {
        await this.drill.inject(this.context, this.memory);
        this.recorder.injected();
      }
      return Date.now();
    });
  }

  detect(): Promise<void> {
    return this.phase('detect', async () => {
      const probe = (): Promise<Finding> => this.drill.detect(this.context, this.memory);
      const found = await eventually(`the fault of drill ${this.drill.id} is noticed`, probe, {
        ms: this.drill.budgets.detectionMs,
      }).catch((thrown: unknown) => {
        if (!(thrown instanceof AwaitTimeout)) throw thrown;
        throw new Settled('inconclusive', `The fault was not noticed: ${thrown.message}`);
      });
      this.detected = Date.now();
      this.recorder.saw('detect', [found]);
    });
  }

  /** Follows the drill's sections. @returns whether every step passed, and when the last one ended. */
  follow(runbook: Runbook): Promise<{ passed: boolean; at: number }> {
    return this.phase('follow', async () => {
      const sections = runbook.sections.filter(({ slug }) => this.drill.sections.includes(slug));
      const follower: Follower = {
        shell: this.options.shell ?? (await openOperatorShell(this.context.target.inventory)),
        person: (block) => this.act(block),
        onBegin: (block) => this.options.say?.(`  ${block.kind.padEnd(11)} ${block.id}`),
        onStep: (record) => this.stepped(record),
      };
      const operator = this.options.operator ?? ((all, by) => follow(all, by));
      const passed = await operator(sections, follower, this.recorder);
      return { passed, at: Date.now() };
    });
  }

  private stepped(record: StepRecord): void {
    this.recorder.step(record);
    if (record.result !== 'passed') this.options.say?.(`  ${record.result}: ${record.why ?? ''}`);
  }

  private async act(block: Block): Promise<void> {
    const hands = this.drill.hands[block.id];
    if (hands === undefined) throw new Error(`nobody is here to do what the step ${block.id} asks of a person`);
    await hands(this.context);
  }

  /** Judges the recovery: now, when the runbook has ended, and if not now then within the budget. */
  recover(passed: boolean, { injected, followed }: { injected: number; followed: number }): Promise<void> {
    return this.phase('recover', async () => {
      const failed = this.recorder.journal.firstFailedStep;
      if (!passed) {
        const why = this.recorder.journal.steps.find(({ block }) => block === failed)?.why ?? 'it did not pass';
        throw new Settled('failed', `The runbook's step ${failed ?? '?'} did not pass: ${why}`);
      }
      await this.drill.exercise?.(this.context, this.memory);
      const left = injected + this.drill.budgets.recoveryMs - Date.now();
      const looks = await this.proveSteady('recover', Math.max(left, 1_000), passesNeeded).catch((thrown: unknown) => {
        if (!(thrown instanceof AwaitTimeout)) throw thrown;
        throw new Settled('failed', `The sandbox did not recover within its budget: ${thrown.message}`);
      });
      const recovered = looks.firstGoodAt;
      this.recorder.recovered(
        splitRecovery({ injected, detected: this.detected, followed, recovered }, this.recorder.journal.steps),
      );
      if (this.recorder.journal.improvised.length > 0) {
        throw new Settled('degraded', 'It recovered, with a step that the runbook does not have.');
      }
      if (looks.before > 0) {
        const late = ((recovered - followed) / 1000).toFixed(1);
        throw new Settled('degraded', `The runbook ended ${late} s before the sandbox had recovered: ${looks.lastBad}`);
      }
      throw new Settled('survived', 'The runbook alone brought the sandbox back within the budget.');
    });
  }

  /** Undoes what is left of the fault, and looks once more. A drill that never began has nothing to undo. */
  async undoAndCheck(undo: UndoJournal): Promise<void> {
    if (!this.began) return;
    try {
      await this.phase('undo', () => undo.undoAll());
      await this.phase('check', async () => {
        await this.proveSteady('check', afterUndoMs, 1);
      });
    } catch (thrown) {
      const { verdict } = this.recorder.journal;
      // What is left behind is worse than what was found out, whatever that was.
      if (verdict !== 'failed')
        this.recorder.settle('failed', `The sandbox was not whole after the undo: ${reason(thrown)}`);
    }
  }

  /** Waits until everything holds so many times in a row. */
  private async proveSteady(
    phase: Phase,
    ms: number,
    passes: number,
  ): Promise<{ firstGoodAt: number; before: number; lastBad: string }> {
    const steady = this.options.steadyState ?? probeSteadyState;
    let inARow = 0;
    let firstGoodAt = 0;
    let before = 0;
    let lastBad = '';
    let last: Finding[] = [];
    const look = async (): Promise<Finding> => {
      const own = phase !== 'recover' ? [] : await this.drill.recovered(this.context, this.memory).catch(unseen);
      last = [...(await steady(this.context)), ...own];
      const met = last.filter(({ status }) => status === 'met').length;
      if (phase === 'recover') this.recorder.sample(met, last.length);
      if (worst(last) === 'met') {
        if (inARow === 0) firstGoodAt = Date.now();
        inARow += 1;
      } else {
        before += 1;
        inARow = 0;
        lastBad = summaryOf(last);
      }
      return {
        subject: 'steady state',
        status: inARow >= passes ? 'met' : 'unmet',
        final: last.some(({ status, final }) => status === 'unmet' && final === true),
        expected: `everything holds ${passes} times in a row`,
        actual: inARow > 0 ? `held ${inARow} times in a row` : lastBad,
        source: 'the probes of the steady state',
      };
    };
    try {
      await eventually('the steady state holds', look, { ms });
    } finally {
      this.recorder.saw(phase, last);
    }
    return { firstGoodAt, before, lastBad };
  }

  private async phase<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    this.options.say?.(`${this.drill.id}: ${phase}`);
    const end = this.recorder.begin(phase);
    try {
      const result = await work();
      end();
      return result;
    } catch (thrown) {
      end(thrown instanceof Settled && thrown.verdict === 'survived' ? undefined : reason(thrown));
      throw thrown;
    }
  }
}

function unseen(thrown: unknown): Finding[] {
  return [
    {
      subject: 'what must have recovered',
      status: 'unknown',
      expected: 'seen',
      actual: reason(thrown),
      source: 'the look itself',
    },
  ];
}

function summaryOf(findings: readonly Finding[]): string {
  const open = findings.filter(({ status }) => status !== 'met');
  return open
    .slice(0, 4)
    .map(({ subject, actual }) => `${subject}: ${actual}`)
    .join('; ');
}
