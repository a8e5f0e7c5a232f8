import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { textTable } from '../../../support/evidence/findings-table';
import { redactor } from '../../../support/evidence/redaction';
import { reason } from '../../../support/failure';
import { isInterrupted } from '../../../support/interruption';
import { assertStartAllowed } from '../../../support/isolation/startup';
import { reportsOut, runbookFile } from '../../../support/paths';
import { endOnSignals } from '../../../support/suite/signals';
import { selectTarget, type Target } from '../../../support/target';
import { Leftovers } from '../../../support/undo';
import type { DrillDefinition } from '../../../drills/definition';
import { drillNamed, drills } from '../../../drills/registry';
import { runDrill } from '../../../drills/run';
import { parseRunbook, readRunbook } from '../../../drills/runbook/read';
import { mutantsOf, shortened, type Mutant } from './mutants';
import { knownSurvivors } from './survivors';

const out = join(reportsOut, 'faults', 'runbook');
const resultsFile = join(out, 'mutants.json');
/** The mutant that is none: the fault is left out. */
const skipped = 'skip the injection';
/** How long a mutant may need to recover, in milliseconds: three times what the drills were seen to need. */
const recoveryMs = 90_000;

const resultShape = z.object({
  drill: z.string(),
  mutant: z.string(),
  verdict: z.string(),
  /** Caught, a survivor with a reason, or one without. */
  outcome: z.enum(['caught', 'known survivor', 'survivor']),
  why: z.string(),
  seconds: z.number(),
});
type Result = z.infer<typeof resultShape>;

/** How the runbook is mutated. */
export interface MutationOptions {
  /** Each mutant in one drill that catches it, the shortest first, and not in every drill that follows its section. */
  once: boolean;
  /** Leave out what the results of an interrupted run hold already. */
  goOn: boolean;
}

/**
 * Mutates the runbook: with a step missing, two swapped or a command corrupted no drill may end as survived, and without
 * its fault each must be inconclusive.
 * @param ids drills; without any, all.
 */
export async function mutateRunbook(ids: readonly string[], options: MutationOptions): Promise<number> {
  const chosen = ids.length > 0 ? ids.map(drillNamed) : drills;
  await assertStartAllowed();
  const target = selectTarget();
  const leave = target.occupy();
  endOnSignals(() => undefined);
  if (!options.goOn) rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  try {
    const results = options.goOn ? keptResults() : [];
    const known = new Set(results.map(({ drill, mutant }) => `${drill}: ${mutant}`));
    const keep = async (drill: DrillDefinition, mutant: string, result: () => Promise<Result>): Promise<Result> => {
      const before = results.find((one) => one.drill === drill.id && one.mutant === mutant);
      if (before !== undefined) return before;
      const found = await result();
      // What an interruption ended was not judged.
      if (isInterrupted()) return found;
      results.push(found);
      writeFileSync(resultsFile, redactor.text(`${JSON.stringify(results, null, 2)}\n`));
      return found;
    };
    if (known.size > 0) console.log(`${known.size} mutants were tried before and are not tried again.`);
    await new Leftovers().replay(target.identity(), async (stage) => (await target.ready(stage)).status === 'met');
    for (const drill of chosen) {
      if (isInterrupted()) return 130;
      await keep(drill, skipped, () => withoutFault(target, drill));
    }
    for (const { mutant, followers } of plan(chosen, options.once)) {
      for (const drill of followers) {
        if (isInterrupted()) return 130;
        const { outcome } = await keep(drill, mutant.name, () => tryMutant(target, drill, mutant));
        if (options.once && outcome === 'caught') break;
      }
    }
    return conclude(options.once ? judgedOnce(results) : results);
  } finally {
    leave();
  }
}

function keptResults(): Result[] {
  return existsSync(resultsFile) ? z.array(resultShape).parse(JSON.parse(readFileSync(resultsFile, 'utf8'))) : [];
}

interface Planned {
  mutant: Mutant;
  /** Drills that follow the mutated section, to be tried in this order. */
  followers: DrillDefinition[];
}

function plan(chosen: readonly DrillDefinition[], once: boolean): Planned[] {
  const text = readFileSync(runbookFile(), 'utf8');
  const { runbook } = readRunbook();
  const steps = ({ sections }: DrillDefinition): number =>
    runbook.sections.filter(({ slug }) => sections.includes(slug)).reduce((sum, { blocks }) => sum + blocks.length, 0);
  const planned = new Map<string, Planned>();
  for (const drill of [...chosen].sort((one, other) => steps(one) - steps(other))) {
    for (const mutant of mutantsOf(text, runbook, drill.sections)) {
      const key = once ? mutant.name : `${drill.id}: ${mutant.name}`;
      const before = planned.get(key);
      if (before === undefined) planned.set(key, { mutant, followers: [drill] });
      else before.followers.push(drill);
    }
  }
  return [...planned.values()];
}

/** One result for each mutant: the drill that caught it, or one that did not when none did. */
function judgedOnce(results: readonly Result[]): Result[] {
  const best = new Map<string, Result>();
  for (const result of results) {
    const key = result.mutant === skipped ? `${result.drill}: ${skipped}` : result.mutant;
    if (best.get(key)?.outcome !== 'caught') best.set(key, result);
  }
  return [...best.values()];
}

async function tryMutant(target: Target, drill: DrillDefinition, { name, text }: Mutant): Promise<Result> {
  const runbook = parseRunbook(shortened(text), `${name}.md`);
  const journals = join(out, 'journals');
  return judged(drill, name, () => runDrill(target, drill, { runbook, journals, recoveryMs }), 'survived');
}

async function withoutFault(target: Target, drill: DrillDefinition): Promise<Result> {
  const journals = join(out, 'journals');
  const quick = { ...drill, budgets: { ...drill.budgets, detectionMs: 15_000 } };
  const result = await judged(drill, skipped, () => runDrill(target, quick, { journals, skipInjection: true }), '');
  return { ...result, outcome: result.verdict === 'inconclusive' ? 'caught' : 'survivor' };
}

async function judged(
  drill: DrillDefinition,
  mutant: string,
  runIt: () => ReturnType<typeof runDrill>,
  notCaught: string,
): Promise<Result> {
  const began = performance.now();
  const journal = await runIt().catch((thrown: unknown) => ({
    verdict: 'not run',
    reason: reason(thrown),
    firstFailedStep: null,
  }));
  const verdict = journal.verdict ?? 'not ended';
  const known = knownSurvivors[`${drill.id}: ${mutant}`];
  // A sandbox that was not whole says nothing of the mutant; a runbook that is not in order does.
  const unjudged = verdict === 'not run' || (verdict === 'blocked' && /steady state/.test(journal.reason ?? ''));
  const outcome = verdict === notCaught || unjudged ? (known === undefined ? 'survivor' : 'known survivor') : 'caught';
  const why = known ?? (journal.reason ?? '').split('\n')[0]?.slice(0, 160) ?? '';
  const seconds = (performance.now() - began) / 1000;
  const result: Result = { drill: drill.id, mutant, verdict, outcome, why, seconds };
  console.log(
    redactor.text(
      `${outcome.padEnd(14)} ${seconds.toFixed(1).padStart(6)} s  ${drill.id}: ${mutant}: ${verdict}: ${why}`,
    ),
  );
  return result;
}

function conclude(results: readonly Result[]): number {
  const open = results.filter(({ outcome }) => outcome !== 'caught');
  const rows = open.map(({ drill, mutant, outcome, why }) => [drill, mutant, outcome, why]);
  if (rows.length > 0) console.log(`\n${redactor.text(textTable(['drill', 'mutant', '', 'why'], rows))}`);
  const bad = results.filter(({ outcome }) => outcome === 'survivor').length;
  const caught = results.length - open.length;
  console.log(`score ${caught} / ${results.length} caught, ${open.length - bad} known survivors`);
  console.log(`${results.length - bad} passed, ${bad} failed`);
  return isInterrupted() ? 130 : bad === 0 && results.length > 0 ? 0 : 1;
}
