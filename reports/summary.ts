import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { toned } from '../support/terminal';
import { titleOf, type Scenario } from './scenarios';
import type { Reconciliation } from './strict';
import { reportFiles } from './writers';

/** The last block of a run: what it came to, why, and where to read on. */
export function summary(
  out: string,
  { run, disagreements, green }: Reconciliation,
  seconds: number,
  ledger?: { id: string; folder: string },
): string {
  const of = (verdict: Scenario['verdict']): Scenario[] => run.scenarios.filter((one) => one.verdict === verdict);
  const failed = of('failed');
  const skipped = of('skipped');
  const files = reportFiles(out);
  const path = (file: string): string => {
    const short = relative(process.cwd(), file);
    return short.startsWith('..') ? file : short;
  };
  return [
    '',
    ...section(
      'Failed',
      failed.map((one) => `${titleOf(one)}\n    at: ${one.failure?.step ?? ''}`),
    ),
    ...section('Failed outside of scenarios', run.runFailures),
    ...section(
      'Skipped, not green for promotion',
      skipped.map((one) => `${titleOf(one)}\n    ${skipText(one)}`),
    ),
    ...section('The reports do not prove this run', disagreements),
    `${green ? toned('good', 'GREEN') : toned('bad', 'RED')} after ${seconds.toFixed(1)} s`,
    `  Allure    ${path(files.allure)}`,
    `  Cucumber  ${path(files.html)}`,
    `  JUnit     ${path(files.junit)}`,
    `  messages  ${path(files.messages)}`,
    ...(existsSync(files.summary) ? [`  Markdown  ${path(files.summary)}`] : []),
    ...(ledger === undefined ? [] : [`  ledger    ${ledger.id} in ${path(ledger.folder)}`]),
    // The closing line that CI counts.
    `${of('passed').length} passed, ${failed.length} failed, ${skipped.length} skipped`,
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`), ''];
}

function skipText({ skip }: Scenario): string {
  return skip ? `${skip.kind}: ${skip.why}` : 'without saying why';
}
