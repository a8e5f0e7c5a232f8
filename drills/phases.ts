import { AwaitTimeout, eventually } from '../support/eventually';
import { reason } from '../support/failure';
import type { Finding } from '../support/finding';
import { interruption } from '../support/interruption';
import type { Target } from '../support/target';
import type { UndoJournal } from '../support/undo';
import { contractOf, drillContext, type DrillContext, type DrillDefinition } from './definition';
import { follow, type Follower } from './follow';
import type { Phase, StepRecord, Verdict } from './journal';
import { prove, type Looks } from './proof';
import { isPassed, type Recorder } from './recorder';
import { splitRecovery } from './recovery-time';
import { problemLine, type Block, type Runbook } from './runbook/document';
import { checkRunbook } from './runbook/rules';
import type { DrillOptions } from './options';
import { openOperatorShell } from './shell';
import { probeSteadyState } from './steady-state';
import { drillUndo } from './undo';

/** How often in a row everything must hold for a recovery to be proven. */
export const passesNeeded = 3;
/** How long a change under way (a lease's rollout) may hold up a drill's beginning, in milliseconds. */
const settlingMs = 30_000;
/** How long the sandbox may need to be whole again after the undo, in milliseconds. */
const afterUndoMs = 180_000;

/** Ends a drill with a verdict that is settled before its last phase. */
export class Settled extends Error {
  constructor(
    readonly verdict: Verdict,
    why: string,
  ) {
    super(why);
  }
}

/** The phases of one drill, each on record. */
export class DrillPhases {
  private readonly context: DrillContext;
  private readonly steady: (context: DrillContext) => Promise<Finding[]>;
  private followedAt = 0;
  private began = false;

  constructor(
    target: Target,
    private readonly drill: DrillDefinition,
    private readonly recorder: Recorder,
    private readonly options: DrillOptions,
  ) {
    const observe = (name: string, text: string): void => recorder.observe(name, text);
    this.context = drillContext(target, observe, recorder.journal.notes);
    this.steady = options.steadyState ?? probeSteadyState;
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
      await this.proveWhole('gate', settlingMs).catch(
        settles('blocked', 'The sandbox was not in its steady state before'),
      );
      await known;
      const prepared = await this.drill.prepare(this.context).catch((thrown: unknown) => {
        interruption()?.throwIfAborted();
        throw new Settled('blocked', `What the drill has to know before could not be looked up: ${reason(thrown)}`);
      });
      this.recorder.prepared(this.drill.memory.parse(prepared));
    });
  }

  registered(undo: UndoJournal): Promise<void> {
    return this.phase('undo-registered', () => {
      const args = { drill: this.drill.id, memory: this.memory };
      const heal = drillUndo(args);
      // On disk it is always the healing: what this process has proven, another one cannot know.
      const run = (): Promise<void> => (this.recovered ? this.drill.tidy?.(this.context) : undefined) ?? heal.run();
      undo.register(`the sandbox is whole after drill ${this.drill.id}`, { ...heal, run });
      this.options.release?.();
      this.began = true;
      return Promise.resolve();
    });
  }

  inject(): Promise<void> {
    return this.phase('inject', async () => {
      if (this.options.skipInjection !== true)
        await this.drill.inject(this.context, this.memory).catch((thrown: unknown) => {
          interruption()?.throwIfAborted();
          // Nothing was found out about the runbook.
          throw new Settled('inconclusive', `The fault could not be injected: ${reason(thrown)}`);
        });
      this.recorder.injected(this.options.skipInjection !== true, this.context.notes);
    });
  }

  detect(): Promise<void> {
    // A game day that is gone on with: the operator has seen it, and may have repaired it by half.
    if (this.recorder.journal.detectedAt !== null) return Promise.resolve();
    return this.phase('detect', async () => {
      const probe = (): Promise<Finding> => this.drill.detect(this.context, this.memory);
      const budget = { ms: this.drill.budgets.detectionMs };
      const found = await eventually(`the fault of drill ${this.drill.id} is noticed`, probe, budget).catch(
        settles('inconclusive', 'The fault was not noticed'),
      );
      this.recorder.detected(found);
    });
  }

  /** Follows the drill's sections. @returns whether every step passed. */
  follow(runbook: Runbook): Promise<boolean> {
    return this.phase('follow', async () => {
      const sections = runbook.sections.filter(({ slug }) => this.drill.sections.includes(slug));
      const { inventory } = this.context.target;
      const follower: Follower = {
        shell: this.options.shell ?? (await openOperatorShell(inventory, this.drill.variables)),
        person: (block) => this.act(block),
        onBegin: (block) => this.options.say?.(`  ${block.kind.padEnd(11)} ${block.id}`),
        onStep: (record) => this.stepped(record),
      };
      const operator = this.options.operator ?? ((all, by) => follow(all, by));
      const passed = await operator(sections, follower, this.recorder);
      this.followedAt = Date.now();
      return passed;
    });
  }

  private stepped(record: StepRecord): void {
    this.recorder.step(record);
    if (!isPassed(record)) this.options.say?.(`  ${record.result}: ${record.why ?? ''}`);
  }

  private async act(block: Block): Promise<void> {
    const hands = this.drill.hands[block.id];
    if (hands === undefined) throw new Error(`nobody is here to do what the step ${block.id} asks of a person`);
    await hands(this.context);
  }

  /** Looks now, when the runbook has ended, and if it is not whole then until the budget is used up. */
  recover(passed: boolean): Promise<Looks> {
    return this.phase('recover', async () => {
      const { firstFailedStep: failed, steps, decisionsMs } = this.recorder.journal;
      if (!passed) {
        const why = steps.find(({ block }) => block === failed)?.why ?? 'it did not pass';
        throw new Settled('failed', `The runbook's step ${failed ?? '?'} did not pass: ${why}`);
      }
      const looks = await prove({
        passes: passesNeeded,
        ms: this.leftMs(),
        look: async () => [
          ...(await this.steady(this.context)),
          ...(await this.drill.recovered(this.context, this.memory)),
        ],
        onLook: (findings) => this.recorder.sample(findings),
        onEnd: (findings) => this.recorder.saw('recover', findings),
      }).catch(settles('failed', 'The sandbox did not recover within its budget'));
      const instants = { ...this.instants(), followed: this.followedAt, recovered: looks.firstGoodAt };
      this.recorder.recovered(splitRecovery(instants, steps, decisionsMs));
      return looks;
    });
  }

  /** Uses what was repaired. That it takes effect is part of the budget, not of the time to recover. */
  async exercise(): Promise<void> {
    const { exercise } = this.drill;
    if (exercise === undefined) return;
    await this.phase('exercise', async () => {
      await exercise.act(this.context, this.memory);
      await prove({
        passes: 1,
        ms: this.leftMs(),
        look: () => exercise.proof(this.context, this.memory),
        onEnd: (findings) => this.recorder.saw('exercise', findings),
      }).catch(settles('failed', 'What was repaired cannot be used'));
    });
  }

  /** The verdict on a sandbox that has recovered. */
  judge({ firstGoodAt, before, lastBad }: Looks): void {
    const late = ((firstGoodAt - this.followedAt) / 1000).toFixed(1);
    if (this.recorder.journal.improvised.length > 0)
      this.recorder.settle('degraded', 'It recovered, with a step that the runbook does not have.');
    else if (before > 0)
      this.recorder.settle('degraded', `The runbook ended ${late} s before the sandbox had recovered: ${lastBad}`);
    else this.recorder.settle('survived', 'The runbook alone brought the sandbox back within the budget.');
  }

  /** Undoes what is left of the fault, and looks once more. A drill that never began has nothing to undo. */
  async undoAndCheck(undo: UndoJournal): Promise<void> {
    if (!this.began) return;
    try {
      await this.phase('undo', () => undo.undoAll());
      await this.phase('check', () => this.proveWhole('check', afterUndoMs));
    } catch (thrown) {
      // What is left behind is worse than what was found out, whatever that was.
      const { verdict, reason: found } = this.recorder.journal;
      const before = verdict === 'failed' && found !== null ? `${found} ` : '';
      this.recorder.settle('failed', `${before}The sandbox was not whole after the undo: ${reason(thrown)}`);
    }
  }

  private async proveWhole(phase: Phase, ms: number): Promise<void> {
    const onEnd = (findings: readonly Finding[]): void => this.recorder.saw(phase, findings);
    await prove({ passes: 1, ms, look: () => this.steady(this.context), onEnd });
  }

  private get recovered(): boolean {
    const { verdict } = this.recorder.journal;
    return verdict === 'survived' || verdict === 'degraded';
  }

  private get memory(): unknown {
    return this.recorder.journal.memory;
  }

  private instants(): { injected: number; detected: number } {
    const { injectedAt, detectedAt } = this.recorder.journal;
    return { injected: Date.parse(injectedAt ?? ''), detected: Date.parse(detectedAt ?? '') };
  }

  /** What is left of the recovery's budget, in milliseconds; a person's time does not count. */
  private leftMs(): number {
    const spent = Date.now() - this.instants().injected - this.recorder.journal.decisionsMs;
    const left = Math.max(this.drill.budgets.recoveryMs - spent, 1_000);
    return Math.min(left, this.options.patienceMs ?? left);
  }

  private async phase<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    this.options.say?.(`${this.drill.id}: ${phase}`);
    const end = this.recorder.begin(phase);
    try {
      const result = await work();
      end();
      return result;
    } catch (thrown) {
      end(reason(thrown));
      throw thrown;
    }
  }
}

/** Turns a wait that ended in vain into a verdict; everything else is passed on. */
function settles(verdict: Verdict, what: string): (thrown: unknown) => never {
  return (thrown) => {
    if (!(thrown instanceof AwaitTimeout)) throw thrown;
    throw new Settled(verdict, `${what}: ${thrown.message}`);
  };
}
