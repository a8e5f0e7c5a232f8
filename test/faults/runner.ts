import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readMessages, runOf } from '../../reports/scenarios';
import { reportFiles } from '../../reports/writers';
import { projectSettings, run } from '../../support/command';
import { reason } from '../../support/failure';
import type { FaultContext } from '../../support/fault';
import { literal } from '../../support/literal';
import { projectRoot, reportsOut } from '../../support/paths';
import { connectSystems } from '../../support/systems';
import type { Target } from '../../support/target';
import { defineUndo, Leftovers, UndoJournal } from '../../support/undo';
import type { FaultResult, PlantedFault } from './fault';
import { judge } from './judge';

/** One scenario with everything it waits for. Milliseconds. */
const scenarioBudgetMs = 20 * 60_000;

/** Plants faults one after another, each in a run of its own. */
export class FaultRunner {
  private readonly healing;

  constructor(
    private readonly target: Target,
    faults: readonly PlantedFault[],
  ) {
    const names = faults.map(({ fault }) => fault.name);
    this.healing = defineUndo({
      name: 'planted fault',
      args: z.object({ fault: z.enum(names) }),
      needs: [],
      run: async ({ fault: name }) => {
        await faults.find(({ fault }) => fault.name === name)?.fault.heal(this.context());
      },
    });
  }

  /** Heals what an earlier run left planted, and undoes what its scenarios left. */
  async healLeftovers(): Promise<string[]> {
    return new Leftovers().replay(
      this.target.identity(),
      async (stage) => (await this.target.ready(stage)).status === 'met',
    );
  }

  /** Plants, runs the scenario, judges, heals. Healing happens on every outcome, also by the next run if this one dies. */
  async try(planted: PlantedFault): Promise<FaultResult> {
    const { name, breaks } = planted.fault;
    const began = performance.now();
    const journal = new UndoJournal(`fault ${name}`, this.target.identity());
    journal.register(`fault ${name} is healed`, this.healing({ fault: name }));
    const outcome = await this.plantAndJudge(planted).catch((thrown: unknown) => ({
      verdict: 'not run' as const,
      detail: reason(thrown),
    }));
    // The scenario's own undo may have failed for the fault: with the fault healed it can be done.
    const left = await journal
      .undoAll()
      .then(() => (planted.offline ? [] : this.healLeftovers()))
      .then(() => undefined, reason);
    const result = { fault: name, breaks, seconds: (performance.now() - began) / 1000 };
    return left === undefined ? { ...result, ...outcome } : { ...result, verdict: 'not healed', detail: left };
  }

  private async plantAndJudge(planted: PlantedFault): Promise<Pick<FaultResult, 'verdict' | 'detail'>> {
    try {
      await planted.fault.plant(this.context());
    } catch (thrown) {
      return { verdict: 'not planted', detail: reason(thrown) };
    }
    const out = join(reportsOut, 'faults', planted.fault.name);
    rmSync(out, { recursive: true, force: true });
    const exact = `^${literal(planted.scenario)}$`;
    const suite = [
      '-r',
      'ts-node/register',
      '-r',
      './support/isolation/preload.ts',
      'support/suite/main.ts',
      // What is planted may be a changed source: the sandbox must not be converged to it.
      '--as-is',
      '--name',
      exact,
      planted.feature,
    ];
    const { exitCode, stdout, stderr } = await run('node', suite, {
      cwd: projectRoot,
      env: { ...projectSettings(), REPORTS_OUT: out, EVIDENCE_LEDGER: join(out, 'ledger') },
      allowFailure: true,
      timeoutMs: scenarioBudgetMs,
    });
    if (!existsSync(reportFiles(out).messages)) {
      return {
        verdict: 'not run',
        detail: `the suite ended with ${exitCode}: ${(stderr || stdout).trim().slice(-300)}`,
      };
    }
    const judged = judge(planted, runOf(readMessages(reportFiles(out).messages)));
    // A scenario that is red in a run that is green would be the worst of all: the exit code is what CI sees.
    return judged.verdict === 'caught' && exitCode === 0
      ? { verdict: 'missed', detail: 'the scenario failed, but the run exited 0' }
      : judged;
  }

  private context(): FaultContext {
    const { target } = this;
    return {
      target,
      // Connected when used: a fault may lie in what connecting needs, and must be healed all the same.
      get systems() {
        return connectSystems(target.inventory);
      },
    };
  }
}
