import { join } from 'node:path';
import type { Environment } from '../../reports/environment';
import type { Scenario } from '../../reports/scenarios';
import type { Reconciliation } from '../../reports/strict';
import { reportFiles } from '../../reports/writers';
import { drillEvidence, drillFacts } from '../evidence/drill-evidence';
import { appendEntry, filesOf, repeatable, type Entry, type Recorded } from '../evidence/ledger';
import { isInterrupted } from '../interruption';

/** What a finished run left, as its command judged it. */
export interface FinishedRun {
  out: string;
  reconciliation: Reconciliation;
  green: boolean;
  environment: Environment;
  began: Date;
  /** Facts beside these, and files to keep: of the shards of a run that was dealt out. */
  facts?: Record<string, string>;
  keep?: { name: string; file: string }[];
  /** Whether the features that ran were run whole. */
  whole?: boolean;
  /** The command that made the reports (default suite). */
  script?: 'suite' | 'merge';
}

/** Appends a run of the suite to the ledger, with its messages, its JUnit and its Allure results. @throws OperatorError */
export async function recordSuite({
  out,
  reconciliation,
  green,
  environment,
  began,
  facts,
  keep = [],
  script = 'suite',
  whole = false,
}: FinishedRun): Promise<Recorded> {
  const { run, disagreements } = reconciliation;
  const files = reportFiles(out);
  const { target, parts, partsUnknown } = environment;
  const count = (verdict: Scenario['verdict']): number => run.scenarios.filter((one) => one.verdict === verdict).length;
  const said = {
    ...facts,
    ...(whole ? { scope: 'all' } : {}),
    ...(disagreements.length === 0 ? {} : { disagreements: disagreements.join('\n') }),
  };
  const drills = await drillFacts(drillEvidence(join(out, 'drills'), began));
  // `npm run drill` runs its drills as scenarios of the suite.
  const isDrill = script === 'suite' && process.env['npm_lifecycle_event'] === 'drill' && drills.drills !== undefined;
  return appendEntry({
    ...drills,
    kind: isDrill ? 'drill' : 'suite',
    verdict: isInterrupted() ? 'interrupted' : green ? 'green' : 'red',
    summary: `${count('passed')} scenarios passed, ${count('failed')} failed, ${count('skipped')} skipped`,
    began,
    command: isDrill
      ? `npm run drill -- run ${(drills.drills ?? []).map(({ name }) => name).join(' ')}`
      : repeatable(script),
    target: { name: target, parts, ...(partsUnknown === undefined ? {} : { unknown: partsUnknown }) },
    scenarios: run.scenarios.map(scenarioEntry),
    ...(Object.keys(said).length === 0 ? {} : { facts: said }),
    keep: [
      ...drills.keep,
      { name: 'messages.ndjson', file: files.messages },
      { name: 'junit.xml', file: files.junit },
      { name: 'environment.json', file: files.environment },
      ...filesOf(files.allureResults),
      ...keep,
    ],
  });
}

function scenarioEntry({
  uri,
  longName,
  verdict,
  seconds,
  failure,
  skip,
}: Scenario): NonNullable<Entry['scenarios']>[number] {
  const why = failure === undefined ? skip && `${skip.kind}: ${skip.why}` : `at: ${failure.step}`;
  return { id: `${uri}#${longName}`, verdict, seconds, ...(why === undefined ? {} : { why }) };
}
