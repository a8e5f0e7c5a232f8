import { OperatorError, reason } from '../support/failure';
import { interruption, isInterrupted, shielded } from '../support/interruption';
import type { Target } from '../support/target';
import { UndoJournal } from '../support/undo';
import type { DrillDefinition } from './definition';
import type { Journal } from './journal';
import type { DrillOptions } from './options';
import { DrillPhases, Settled } from './phases';
import { Recorder } from './recorder';
import { readRunbook } from './runbook/read';

/** The operator left a game day half-way, on purpose or with the terminal: nothing is undone, and it can be gone on with. */
export class LeftHalfWay extends OperatorError {
  constructor(seen: string) {
    const next = '`npm run game-day` goes on from here; `npm run drill -- resume` undoes it instead.';
    super({ attempted: 'finish the game day', seen, next });
    this.name = 'LeftHalfWay';
  }
}

/**
 * Runs a drill to its verdict: gate, undo on disk, injection, detection, the runbook's sections, proof of recovery, undo,
 * one more check. Never throws for the verdict; the journal is on disk after every step.
 * @throws LeftHalfWay with nothing undone; the reason of an interruption, after the undo, with the journal ended as inconclusive.
 */
export async function runDrill(target: Target, drill: DrillDefinition, options: DrillOptions = {}): Promise<Journal> {
  const read = options.runbook ?? readRunbook();
  const recorder = new Recorder(target, drill, read.runbook, options);
  const run = new DrillPhases(target, drill, recorder, options);
  const undo = new UndoJournal(`drill ${drill.id}`, target.identity());
  try {
    if (options.resumed === undefined) await run.gate(read);
    await run.registered(undo);
    if (options.resumed === undefined) await run.inject();
    await run.detect();
    const passed = await run.follow(read.runbook);
    const looks = await run.recover(passed);
    await run.exercise();
    run.judge(looks);
  } catch (thrown) {
    if (thrown instanceof LeftHalfWay) throw thrown;
    if (thrown instanceof Settled) recorder.settle(thrown.verdict, thrown.message);
    else if (isInterrupted()) recorder.settle('inconclusive', `It was interrupted: ${reason(thrown)}`);
    else recorder.settle('failed', reason(thrown));
  }
  await shielded(() => run.undoAndCheck(undo));
  recorder.finish();
  assertNotInterrupted(recorder.journal);
  return recorder.journal;
}

/** @throws the interruption's reason; with what it left behind, when the undo did not end well. */
function assertNotInterrupted({ drill, phases }: Journal): void {
  const signal = interruption();
  const left = phases.find(({ phase, failed }) => (phase === 'undo' || phase === 'check') && failed !== undefined);
  if (signal?.aborted !== true || left === undefined) return signal?.throwIfAborted();
  throw new OperatorError({
    attempted: 'undo a drill that was interrupted',
    where: drill,
    expected: 'the sandbox whole again',
    seen: left.failed ?? '',
    next: '`npm run drill -- resume` tries it once more.',
    exitCode: 130,
    cause: signal.reason,
  });
}
