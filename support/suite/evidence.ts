import type { Environment } from '../../reports/environment';
import type { Scenario } from '../../reports/scenarios';
import type { Reconciliation } from '../../reports/strict';
import { reportFiles } from '../../reports/writers';
import { appendEntry, filesOf, repeatable, type Entry, type Recorded } from '../evidence/ledger';
import { isInterrupted } from '../interruption';

/** What a finished run left, as its command judged it. */
export interface FinishedRun {
  out: string;
  reconciliation: Reconciliation;
  green: boolean;
  environment: Environment;
  began: Date;
}

/** Appends a run of the suite to the ledger, with its messages, its JUnit and its Allure results. @throws OperatorError */
export function recordSuite({ out, reconciliation, green, environment, began }: FinishedRun): Promise<Recorded> {
  const { run, disagreements } = reconciliation;
  const files = reportFiles(out);
  const { target, parts, partsUnknown } = environment;
  const count = (verdict: Scenario['verdict']): number => run.scenarios.filter((one) => one.verdict === verdict).length;
  return appendEntry({
    kind: 'suite',
    verdict: isInterrupted() ? 'interrupted' : green ? 'green' : 'red',
    summary: `${count('passed')} scenarios passed, ${count('failed')} failed, ${count('skipped')} skipped`,
    began,
    command: repeatable('suite'),
    target: { name: target, parts, ...(partsUnknown === undefined ? {} : { unknown: partsUnknown }) },
    scenarios: run.scenarios.map(scenarioEntry),
    ...(disagreements.length === 0 ? {} : { facts: { disagreements: disagreements.join('\n') } }),
    keep: [
      { name: 'messages.ndjson', file: files.messages },
      { name: 'junit.xml', file: files.junit },
      { name: 'environment.json', file: files.environment },
      ...filesOf(files.allureResults),
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
