import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
/** How long a mutant may need to recover, in milliseconds: three times what the drills were seen to need. */
const recoveryMs = 90_000;

interface Result {
  drill: string;
  mutant: string;
  verdict: string;
  /** Caught, a survivor with a reason, or one without. */
  outcome: 'caught' | 'known survivor' | 'survivor';
  why: string;
  seconds: number;
}

/**
 * Mutates the runbook: with a step missing, two swapped or a command corrupted no drill may end as survived, and without
 * its fault each must be inconclusive.
 * @param ids drills, each also as `drill:mutant` part; without any, all.
 */
export async function mutateRunbook(ids: readonly string[]): Promise<number> {
  const chosen = ids.length > 0 ? ids.map(drillNamed) : drills;
  await assertStartAllowed();
  const target = selectTarget();
  const leave = target.occupy();
  endOnSignals(() => undefined);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  try {
    const results: Result[] = [];
    await new Leftovers().replay(target.identity(), async (stage) => (await target.ready(stage)).status === 'met');
    for (const drill of chosen) {
      results.push(await withoutFault(target, drill));
      for (const mutant of mutantsOfDrill(drill)) {
        if (isInterrupted()) return 130;
        results.push(await tryMutant(target, drill, mutant));
      }
    }
    return conclude(results);
  } finally {
    leave();
  }
}

function mutantsOfDrill(drill: DrillDefinition): Mutant[] {
  const text = readFileSync(runbookFile(), 'utf8');
  return mutantsOf(text, readRunbook().runbook, drill.sections);
}

async function tryMutant(target: Target, drill: DrillDefinition, { name, text }: Mutant): Promise<Result> {
  const runbook = parseRunbook(shortened(text), `${name}.md`);
  const journals = join(out, 'journals');
  return judged(drill, name, () => runDrill(target, drill, { runbook, journals, recoveryMs }), 'survived');
}

async function withoutFault(target: Target, drill: DrillDefinition): Promise<Result> {
  const journals = join(out, 'journals');
  const quick = { ...drill, budgets: { ...drill.budgets, detectionMs: 15_000 } };
  const result = await judged(
    drill,
    'skip the injection',
    () => runDrill(target, quick, { journals, skipInjection: true }),
    '',
  );
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
  writeFileSync(join(out, 'mutants.json'), redactor.text(`${JSON.stringify(results, null, 2)}\n`));
  const bad = results.filter(({ outcome }) => outcome === 'survivor').length;
  const caught = results.length - open.length;
  console.log(`score ${caught} / ${results.length} caught, ${open.length - bad} known survivors`);
  console.log(`${results.length - bad} passed, ${bad} failed`);
  return isInterrupted() ? 130 : bad === 0 && results.length > 0 ? 0 : 1;
}
