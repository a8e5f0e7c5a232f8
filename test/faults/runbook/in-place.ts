import type { DrillDefinition } from '../../../drills/definition';
import { follow, runStep, type Follower } from '../../../drills/follow';
import type { Operator } from '../../../drills/options';
import { runDrill } from '../../../drills/run';
import { looks, type Block, type Runbook } from '../../../drills/runbook/document';
import { redactor } from '../../../support/evidence/redaction';
import { reason } from '../../../support/failure';
import { interruption } from '../../../support/interruption';
import type { Target } from '../../../support/target';
import type { Mutant } from './mutants';
import { passedBeside, type Result } from './results';

/** The step of a mutant that a drill comes to first where it differs, and the id of the one that stands there in the runbook. */
export interface Beside extends Pick<Result, 'drill' | 'mutant' | 'steps'> {
  step: Block;
  at: string;
}

/** The step by which a mutant in a drill can be judged beside the runbook's own, if there is one. */
export function besideOf(
  { drill, mutant, steps }: Pick<Result, 'drill' | 'mutant' | 'steps'>,
  differs: Mutant['differs'],
  { sections }: Runbook,
): Beside | undefined {
  const step = sections.flatMap(({ blocks }) => blocks).find(({ id }) => id === differs?.step);
  return step === undefined || differs === undefined ? undefined : { drill, mutant, steps, step, at: differs.at };
}

/** Where the run is kept, how long its recovery is waited for in milliseconds, and who hears of each mutant that was tried. */
export interface InPlace {
  journals: string;
  patienceMs: number;
  onResult(result: Result): void;
}

/**
 * Judges mutants in one run of their drill, each by one step, tried beside the runbook's own and not in a drill of its own: a
 * corrupted command, and a look that comes too early because the step before it was dropped, or swapped with it. What does not
 * pass there is caught: a drill that followed it would have ended as failed at that step. What passes is not judged by that; only
 * a drill of its own shows what comes of it.
 */
export async function judgeInPlace(
  target: Target,
  drill: DrillDefinition,
  mutants: readonly Beside[],
  { journals, patienceMs, onResult }: InPlace,
): Promise<void> {
  const operator = beside(mutants, onResult);
  const journal = await runDrill(target, drill, { journals, patienceMs, operator });
  const line = `${drill.id}, with mutants' steps beside its own: ${journal.verdict}: ${journal.reason}`;
  if (journal.verdict !== 'survived') console.log(redactor.text(line));
}

/** Follows the sections, and tries the mutants' steps as it comes by. */
export function beside(mutants: readonly Beside[], onResult: (result: Result) => void): Operator {
  return async (sections, follower) => {
    for (const section of sections)
      for (const block of section.blocks) {
        const here = mutants.filter(({ at }) => at === block.id);
        // A look that is wrong is tried when the right one has passed: it has its best chance then, and needs no patience.
        const after = looks(block) ? here.filter(isCorrupted) : [];
        const before = here.filter((mutant) => !after.includes(mutant));
        for (const alike of byStep(before)) await tryStep(alike, follower, onResult);
        if (!(await follow([{ ...section, blocks: [block] }], follower))) return false;
        for (const alike of byStep(after)) await tryStep(alike, follower, onResult);
      }
    return true;
  };
}

function isCorrupted({ step, at }: Beside): boolean {
  return step.id === at;
}

/** Mutants that come to the same step here: it is tried once for all of them. */
function byStep(mutants: readonly Beside[]): Beside[][] {
  const hashes = new Set(mutants.map(({ step }) => step.hash));
  return [...hashes].map((hash) => mutants.filter(({ step }) => step.hash === hash));
}

async function tryStep(
  alike: readonly Beside[],
  follower: Follower,
  onResult: (result: Result) => void,
): Promise<void> {
  const [first] = alike;
  if (first === undefined) return;
  const began = performance.now();
  const step: Block = isCorrupted(first) ? { ...first.step, kind: 'check' } : first.step;
  const { result, why = '' } = await runStep(step, follower).catch((thrown: unknown) => {
    interruption()?.throwIfAborted();
    // The boundary refuses a place that is none of the sandbox's: that ends a drill as failed, too.
    return { result: 'refused', why: reason(thrown) };
  });
  const seconds = (performance.now() - began) / 1000;
  const said = `${isCorrupted(first) ? 'Beside its step' : `${step.id} too early`}: ${why}`;
  const caught = result !== 'passed';
  for (const { drill, mutant, steps } of alike)
    onResult({
      ...{ drill, mutant, steps, verdict: caught ? 'failed' : passedBeside, caught, seconds },
      why: said.replaceAll('\n', ' ').slice(0, 160),
    });
}
