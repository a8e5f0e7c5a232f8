import { AwaitTimeout, eventually } from '../support/eventually';
import { reason } from '../support/failure';
import type { Finding } from '../support/finding';
import { interruption } from '../support/interruption';
import type { StepRecord } from './journal';
import type { Block, Section } from './runbook/document';
import type { OperatorShell, ShellResult } from './shell';

/** What following a section may use. */
export interface Follower {
  shell: OperatorShell;
  /** Does what the runbook asks of a person. */
  person(block: Block): Promise<void>;
  /** Sees every step when it begins, and its record when it has ended. */
  onBegin(block: Block): void;
  onStep(record: StepRecord): void;
}

/**
 * Follows sections step by step, as they are written, until one does not pass.
 * @returns true when every step passed.
 */
export async function follow(sections: readonly Section[], follower: Follower): Promise<boolean> {
  for (const block of sections.flatMap((section) => section.blocks)) {
    follower.onBegin(block);
    const record = await runStep(block, follower);
    follower.onStep(record);
    if (record.result !== 'passed') return false;
  }
  return true;
}

/** Runs one step to its end. Never throws for what the step does; an interruption of the run is passed on. */
export async function runStep(
  block: Block,
  { shell, person }: Pick<Follower, 'shell' | 'person'>,
): Promise<StepRecord> {
  const started = new Date().toISOString();
  const { id, kind, section, hash, text: command } = block;
  const outcome =
    kind === 'person'
      ? await byPerson(block, person)
      : kind === 'wait-until'
        ? await waitUntil(block, shell)
        : { ...judged(block, await shell.run(command, block.withinMs)), attempts: 1 };
  return { block: id, kind, section, hash, command, started, ended: new Date().toISOString(), ...outcome };
}

type Outcome = Pick<StepRecord, 'attempts' | 'exitCode' | 'output' | 'result' | 'why'>;

async function byPerson(block: Block, person: Follower['person']): Promise<Outcome> {
  try {
    await person(block);
    return { attempts: 1, exitCode: null, output: '', result: 'passed' };
  } catch (thrown) {
    interruption()?.throwIfAborted();
    return { attempts: 1, exitCode: null, output: '', result: 'failed', why: reason(thrown) };
  }
}

/**
 * Runs a wait's command again and again until it passes. Each attempt may take what is left of the wait's time. One that hangs
 * is ended by the shell, and told as what it is.
 */
async function waitUntil(block: Block, shell: OperatorShell): Promise<Outcome> {
  const began = performance.now();
  let attempts = 0;
  // Of the last look that ended; or of the first, when it had to be ended.
  let last: Omit<Outcome, 'attempts'> | undefined;
  const look = async (): Promise<Finding> => {
    const left = block.withinMs - (performance.now() - began) - endingMs;
    // What cannot end any more is not begun.
    if (last === undefined || left > endingMs) {
      attempts += 1;
      const shown = await shell.run(block.text, Math.max(left, endingMs));
      if (!shown.timedOut) last = judged(block, shown);
      last ??= { ...hung, output: shown.output };
    }
    const { result, why } = last;
    const status = result === 'passed' ? 'met' : 'unmet';
    return { subject: `step ${block.id}`, status, expected: 'passed', actual: why ?? result, source: block.text };
  };
  try {
    await eventually(`the runbook's step ${block.id} passes`, look, { ms: block.withinMs });
    return { ...(last ?? hung), attempts };
  } catch (thrown) {
    if (!(thrown instanceof AwaitTimeout)) throw thrown;
    const { why = '', ...shown } = last ?? hung;
    const seconds = Math.round(block.withinMs / 1000);
    return { ...shown, attempts, result: 'timed out', why: `it did not come within ${seconds} s; last: ${why}` };
  }
}

/** How long before a wait's end its command is ended, in milliseconds: it does not outlive the step. */
const endingMs = 250;

const hung: Omit<Outcome, 'attempts'> = {
  exitCode: null,
  output: '',
  result: 'timed out',
  why: 'its command had not ended by itself',
};

/** A step's result by its exit code and by what the runbook says its output shows. */
function judged(
  { id, withinMs, expect }: Block,
  { exitCode, output, timedOut }: ShellResult,
): Omit<Outcome, 'attempts'> {
  if (timedOut) {
    const why = `the step ${id} did not end within ${Math.round(withinMs / 1000)} s and was ended`;
    return { exitCode, output, result: 'timed out', why };
  }
  if (exitCode !== 0) return { exitCode, output, result: 'failed', why: `exit code ${exitCode}: ${lastWords(output)}` };
  if (expect !== undefined && !expect.test(output)) {
    const why = `its output does not show ${String(expect)}: ${lastWords(output)}`;
    return { exitCode, output, result: 'failed', why };
  }
  return { exitCode, output, result: 'passed' };
}

function lastWords(output: string): string {
  return output.trim().split('\n').slice(-4).join(' | ').slice(-600) || 'it said nothing';
}
