import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textTable } from '../../../support/evidence/findings-table';
import { redactor } from '../../../support/evidence/redaction';
import { reason } from '../../../support/failure';
import { isInterrupted } from '../../../support/interruption';
import { assertMayAct } from '../../../support/target/start';
import { runbookFile } from '../../../support/paths';
import { daysSinceEpoch, turned } from '../../../support/rotation';
import type { Shard } from '../../../support/suite/shard';
import { endOnSignals } from '../../../support/suite/signals';
import { selectTarget, type Target } from '../../../support/target';
import type { DrillDefinition } from '../../../drills/definition';
import type { Journal, Phase } from '../../../drills/journal';
import { drillNamed, drills } from '../../../drills/registry';
import { runDrill } from '../../../drills/run';
import { parseRunbook, readRunbook } from '../../../drills/runbook/read';
import { undoLeft } from '../../../drills/undo';
import { besideOf, judgeInPlace, type Beside } from './in-place';
import { mutantsOf, shortened, type Mutant } from './mutants';
import { MutantResults, mutantsFolder, passedBeside, stepsHash, type Result } from './results';
import { reasonFor } from './survivors';

const journals = join(mutantsFolder, 'journals');
/** The mutant that is none: the fault is left out. */
const skipped = 'skip the injection';
/** The verdict on a mutant whose drill could not be run: nothing is known of it, and no reason excuses it. */
const notJudged = 'not judged';
/** A mutant may leave a sandbox that its undo cannot mend: after so many that could not be judged the rest would fare no better. */
const unjudgedInARow = 2;
/** How long a mutant is waited for when its steps have ended, in milliseconds: one that has not recovered by then is caught in any case. */
const patienceMs = 30_000;

/** How the runbook is mutated. */
export interface MutationOptions {
  /** Each mutant in one drill that catches it, the shortest first, and not in every drill that follows its section. */
  once: boolean;
  /** Leave out what the results of an earlier run hold already. */
  goOn: boolean;
  /** Minutes after which no other mutant is begun; they begin elsewhere every day. */
  within?: number;
  /** Every n-th mutant only. */
  shard?: Shard;
}

/**
 * Mutates the runbook: with a step missing, two swapped or a command corrupted no drill may end as survived, and without
 * its fault each must be inconclusive.
 * @param ids drills; without any, all.
 */
export async function mutateRunbook(ids: readonly string[], options: MutationOptions): Promise<number> {
  const chosen = ids.length > 0 ? ids.map(drillNamed) : drills;
  await assertMayAct();
  const target = selectTarget();
  const leave = target.occupy();
  endOnSignals(() => undefined);
  try {
    const results = new MutantResults(options.goOn);
    await undoLeft(target);
    return await tryAll(plan(chosen, options.once), target, results, options);
  } finally {
    leave();
  }
}

/** Tries what is planned, in this sandbox's turn and time. @returns the exit code. */
async function tryAll(
  planned: readonly Planned[],
  target: Target,
  results: MutantResults,
  { once, within, shard }: MutationOptions,
): Promise<number> {
  const mine = planned.filter((_, index) => shard === undefined || index % shard.of === shard.index - 1);
  const inTurn = within === undefined ? mine : turned(mine, daysSinceEpoch());
  const until = performance.now() + (within ?? Infinity) * 60_000;
  const judgements: Result[] = [];
  const left: string[] = [];
  let unjudged = 0;
  await tryInPlace(inTurn, target, results, until);
  for (const { name, trials } of inTurn) {
    const found: Result[] = [];
    for (const trial of trials) {
      if (isInterrupted() || performance.now() > until || unjudged >= unjudgedInARow) break;
      const kept = results.of(trial);
      const known = kept?.verdict === passedBeside ? undefined : kept;
      const result = known ?? (await trial.run(target));
      // What an interruption ended was not judged.
      if (isInterrupted()) break;
      if (known === undefined && result.verdict !== notJudged) results.keep(result);
      if (known === undefined) unjudged = result.verdict === notJudged ? unjudged + 1 : 0;
      found.push(result);
      if (once && isSettled(result)) break;
    }
    if (found.length === 0) left.push(name);
    else judgements.push(...(once ? found.slice(-1) : found));
  }
  if (unjudged >= unjudgedInARow)
    console.log(
      `Ended after ${unjudged} mutants that could not be judged: bring the sandbox back (\`npm run drill -- resume\`).`,
    );
  // What is left out is said, never passed over in silence.
  if (left.length > 0) console.log(`Not tried (${left.length} of ${mine.length}): ${left.join('; ')}`);
  return conclude(judgements);
}

/** Judges mutants of which nothing is known and that one step tells, all of a drill in one run of it. */
async function tryInPlace(
  planned: readonly Planned[],
  target: Target,
  results: MutantResults,
  until: number,
): Promise<void> {
  const onResult = (result: Result): void => {
    results.keep(result);
    if (result.verdict !== passedBeside) tell(result);
  };
  const isOpen = ({ trials }: Planned): boolean => trials.every((trial) => results.of(trial) === undefined);
  for (const drill of new Set(planned.flatMap(({ trials }) => trials.map((trial) => trial.drill)))) {
    const open = planned.filter(isOpen).flatMap(({ trials }) => trials.find((trial) => trial.drill === drill) ?? []);
    const told = open.flatMap(({ beside }) => beside ?? []);
    if (told.length === 0) continue;
    if (isInterrupted() || performance.now() > until) break;
    // Those of which it says nothing are tried in drills of their own, whatever ended it.
    await judgeInPlace(target, drillNamed(drill), told, { journals, patienceMs, onResult }).catch((thrown: unknown) =>
      console.log(redactor.text(`${drill}: ${reason(thrown)}`)),
    );
  }
}

/** A mutant in one drill. */
interface Trial {
  drill: string;
  mutant: string;
  steps: string;
  /** Set when one step, tried beside the runbook's own, may tell that it is caught. */
  beside?: Beside | undefined;
  run(target: Target): Promise<Result>;
}

interface Planned {
  name: string;
  /** In drills that follow the mutated section, to be tried in this order. */
  trials: Trial[];
}

function plan(chosen: readonly DrillDefinition[], once: boolean): Planned[] {
  const text = readFileSync(runbookFile(), 'utf8');
  const { runbook } = readRunbook();
  const steps = ({ sections }: DrillDefinition): number =>
    runbook.sections.filter(({ slug }) => sections.includes(slug)).reduce((sum, { blocks }) => sum + blocks.length, 0);
  const planned = new Map<string, Planned>();
  const add = (key: string, trial: Trial): void => {
    const before = planned.get(key);
    if (before === undefined) planned.set(key, { name: key, trials: [trial] });
    else before.trials.push(trial);
  };
  for (const drill of [...chosen].sort((one, other) => steps(one) - steps(other))) {
    add(`${drill.id}: ${skipped}`, withoutFault(drill, stepsHash(runbook, drill.sections)));
    for (const mutant of mutantsOf(text, runbook, drill.sections)) {
      add(once ? mutant.name : `${drill.id}: ${mutant.name}`, withMutant(drill, mutant));
    }
  }
  return [...planned.values()];
}

function withMutant(drill: DrillDefinition, { name, text, differs }: Mutant): Trial {
  const read = parseRunbook(shortened(text), `${name}.md`);
  const trial = { drill: drill.id, mutant: name, steps: stepsHash(read.runbook, drill.sections) };
  const run = (target: Target): Promise<Result> =>
    judged(
      trial,
      () => runDrill(target, drill, { runbook: read, journals, patienceMs }),
      (verdict) => verdict !== 'survived',
    );
  return { ...trial, beside: besideOf(trial, differs, read.runbook), run };
}

function withoutFault(drill: DrillDefinition, steps: string): Trial {
  const trial = { drill: drill.id, mutant: skipped, steps };
  const quick = { ...drill, budgets: { ...drill.budgets, detectionMs: 15_000 } };
  const run = (target: Target): Promise<Result> =>
    judged(
      trial,
      () => runDrill(target, quick, { journals, skipInjection: true }),
      (verdict) => verdict === 'inconclusive',
    );
  return { ...trial, run };
}

async function judged(
  trial: Omit<Trial, 'run'>,
  runIt: () => ReturnType<typeof runDrill>,
  isCaught: (verdict: string) => boolean,
): Promise<Result> {
  const { drill, mutant, steps } = trial;
  const began = performance.now();
  const journal = await runIt().catch((thrown: unknown) => ({
    verdict: 'not run',
    reason: reason(thrown),
    phases: [],
  }));
  const verdict = journal.verdict ?? 'not ended';
  const isJudged = verdict !== 'not run' && saysSomething(verdict, journal, mutant);
  const caught = isJudged && isCaught(verdict);
  const why = (journal.reason ?? '').split('\n')[0]?.slice(0, 160) ?? '';
  const seconds = (performance.now() - began) / 1000;
  const result: Result = { drill, mutant, steps, verdict: isJudged ? verdict : notJudged, caught, why, seconds };
  tell(result);
  return result;
}

/**
 * Whether a drill's end is about its mutant. A sandbox that was not whole before or after, one that cannot be drilled, and one in
 * which no fault was seen are about themselves; a runbook that is not in order is about the mutant.
 */
function saysSomething(
  verdict: string,
  { reason, phases }: Pick<Journal, 'reason' | 'phases'>,
  mutant: string,
): boolean {
  if (verdict === 'blocked') return runbookProblem.test(reason ?? '');
  if (verdict === 'inconclusive' && mutant !== skipped) return false;
  const anyFailed = (...these: Phase[]): boolean =>
    phases.some(({ phase, failed }) => failed !== undefined && these.includes(phase));
  return !anyFailed('undo', 'check') || anyFailed('recover', 'exercise');
}

/** How the reason begins of a drill that is blocked by its runbook: `file:line: sentence`. */
const runbookProblem = /^[^\n]+\.md:\d+: /;

function tell(result: Result): void {
  const { drill, mutant, verdict, why, seconds } = result;
  const line = `${outcomeOf(result).padEnd(14)} ${seconds.toFixed(1).padStart(6)} s  ${drill}: ${mutant}: ${verdict}: ${why}`;
  console.log(redactor.text(line));
}

/** Nothing is to be learned of it in another drill. */
function isSettled(result: Result): boolean {
  return result.caught || excuse({ ...result, drill: '' }) !== undefined;
}

/** Why a mutant may survive. One that was not judged has no excuse. */
function excuse({ drill, mutant, verdict }: Result): string | undefined {
  return verdict === notJudged ? undefined : reasonFor(drill, mutant);
}

/** Caught, a survivor for which there is a reason, or one without; or an interruption or the sandbox left it open. */
function outcomeOf(result: Result): 'caught' | 'known survivor' | 'survivor' | typeof notJudged {
  if (result.caught) return 'caught';
  if (result.verdict === notJudged) return notJudged;
  return excuse(result) === undefined ? 'survivor' : 'known survivor';
}

function conclude(results: readonly Result[]): number {
  const open = results.filter(({ caught }) => !caught);
  const rows = open.map((result) => [result.drill, result.mutant, outcomeOf(result), excuse(result) ?? result.why]);
  if (rows.length > 0) console.log(`\n${redactor.text(textTable(['drill', 'mutant', '', 'why'], rows))}`);
  const bad = open.filter((result) => excuse(result) === undefined).length;
  const caught = results.length - open.length;
  console.log(`score ${caught} / ${results.length} caught, ${open.length - bad} known survivors`);
  console.log(`${results.length - bad} passed, ${bad} failed`);
  return isInterrupted() ? 130 : bad === 0 && results.length > 0 ? 0 : 1;
}
