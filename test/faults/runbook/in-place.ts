import type { DrillDefinition } from '../../../drills/definition';
import { follow, runStep, type Follower } from '../../../drills/follow';
import type { Operator } from '../../../drills/options';
import { runDrill } from '../../../drills/run';
import { looks, type Block } from '../../../drills/runbook/document';
import { redactor } from '../../../support/evidence/redaction';
import { reason } from '../../../support/failure';
import { interruption } from '../../../support/interruption';
import type { Target } from '../../../support/target';
import type { Result } from './results';

/** A step with a corrupted command, and the mutant it belongs to. */
export interface Corrupted extends Pick<Result, 'drill' | 'mutant' | 'steps'> {
  corrupted: Block;
}

/** Where the run is kept, how long its recovery is waited for in milliseconds, and who hears of each mutant that is caught. */
export interface InPlace {
  journals: string;
  patienceMs: number;
  onResult(result: Result): void;
}

/**
 * Judges corrupted commands in one run of their drill, each beside its own step and not in a drill of its own. One that does
 * not pass there is caught: a drill that followed it would have ended as failed at that step. Of one that passes nothing is
 * said; only a drill of its own shows what comes of it.
 */
export async function judgeInPlace(
  target: Target,
  drill: DrillDefinition,
  mutants: readonly Corrupted[],
  { journals, patienceMs, onResult }: InPlace,
): Promise<void> {
  const operator = beside(mutants, onResult);
  const journal = await runDrill(target, drill, { journals, patienceMs, operator });
  const line = `${drill.id}, with corrupted commands beside its own: ${journal.verdict}: ${journal.reason}`;
  if (journal.verdict !== 'survived') console.log(redactor.text(line));
}

/** Follows the sections, and tries the corrupted commands as it comes by. */
export function beside(mutants: readonly Corrupted[], onResult: (result: Result) => void): Operator {
  return async (sections, follower) => {
    for (const section of sections)
      for (const block of section.blocks) {
        const mutant = mutants.find(({ corrupted }) => corrupted.id === block.id);
        // A look that is wrong is tried when the right one has passed: it has its best chance then, and needs no patience.
        if (mutant !== undefined && !looks(block)) await tryOnce(mutant, follower, onResult);
        if (!(await follow([{ ...section, blocks: [block] }], follower))) return false;
        if (mutant !== undefined && looks(block)) await tryOnce(mutant, follower, onResult);
      }
    return true;
  };
}

async function tryOnce(
  { corrupted, ...mutant }: Corrupted,
  follower: Follower,
  onResult: (result: Result) => void,
): Promise<void> {
  const began = performance.now();
  const look: Block = { ...corrupted, kind: 'check' };
  const { result, why = '' } = await runStep(look, follower).catch((thrown: unknown) => {
    interruption()?.throwIfAborted();
    // The boundary refuses a place that is none of the sandbox's: that ends a drill as failed, too.
    return { result: 'refused', why: reason(thrown) };
  });
  if (result === 'passed') return;
  const { drill, mutant: name, steps } = mutant;
  const seconds = (performance.now() - began) / 1000;
  onResult({
    drill,
    mutant: name,
    steps,
    verdict: 'failed',
    caught: true,
    why: `Beside its step: ${why}`.replaceAll('\n', ' ').slice(0, 160),
    seconds,
  });
}
