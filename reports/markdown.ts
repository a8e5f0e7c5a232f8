import { writeFileSync } from 'node:fs';
import type { Recorded } from '../support/evidence/ledger';
import { markdownCell, markdownTable } from '../support/evidence/markdown';
import { redactor } from '../support/evidence/redaction';
import type { Environment } from './environment';
import { titleOf, type Scenario } from './scenarios';
import type { Reconciliation } from './strict';
import { reportFiles } from './writers';

/** What a run came to, for its summaries. */
export interface Ended {
  reconciliation: Reconciliation;
  environment: Environment;
  /** Undefined where the runs that were put together took theirs elsewhere. */
  seconds?: number;
  /** Undefined when it is in no ledger. */
  recorded: Pick<Recorded, 'id' | 'hash' | 'entry'> | undefined;
}

/** Of one kind: a pull request is no place for hundreds. */
const shown = 20;

/** Writes summary.md beside the reports: the run in short, for a pull request. */
export function writeMarkdown(out: string, ended: Ended): void {
  writeFileSync(reportFiles(out).summary, redactor.text(runMarkdown(ended)));
}

/** What came out, what is not green and why, how long drills took to recover, how real it was, and where the proof lies. */
export function runMarkdown({ reconciliation, environment, seconds, recorded }: Ended): string {
  const { run, disagreements, green } = reconciliation;
  const of = (verdict: Scenario['verdict']): Scenario[] => run.scenarios.filter((one) => one.verdict === verdict);
  const [passed, failed, skipped] = [of('passed'), of('failed'), of('skipped')];
  const drills = recorded?.entry.drills ?? [];
  const blocks = [
    `### Suite: ${green ? 'GREEN' : 'RED'} on ${environment.target}`,
    `${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped` +
      `${seconds === undefined ? '' : ` in ${seconds.toFixed(0)} s`}. Suite ${environment.suite}; factory ${environment.factory}.`,
    list('Failed', [
      ...failed.map((one) => `${titleOf(one)}, at: ${one.failure?.step ?? ''}`),
      ...run.runFailures.map((text) => `outside of scenarios: ${text}`),
    ]),
    list('The reports do not prove this run', disagreements),
    list('Skipped, not green for promotion', skippedLines(skipped)),
    drills.length === 0
      ? ''
      : markdownTable(
          ['drill', 'verdict', 'recovered in', 'failed at'],
          drills.map(({ name, verdict, recoverySeconds, failedStep }) => [
            name,
            verdict,
            recoverySeconds === undefined ? '' : `${recoverySeconds.toFixed(1)} s`,
            failedStep ?? '',
          ]),
        ),
    realness(environment),
    recorded === undefined
      ? 'This run is not in the ledger: it is evidence of nothing.'
      : `Ledger: entry \`${recorded.id}\`, hash \`${recorded.hash}\`. All of it: \`npm run evidence -- show ${recorded.id}\`.`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const more = lines.length > shown ? [`... and ${lines.length - shown} more`] : [];
  return [`${title}:`, '', ...[...lines.slice(0, shown), ...more].map((line) => `- ${markdownCell(line)}`)].join('\n');
}

/** A line for each reason, with how many scenarios it skipped. */
function skippedLines(skipped: readonly Scenario[]): string[] {
  const reasons = new Map<string, number>();
  for (const { skip } of skipped) {
    const why = skip === undefined ? 'without saying why' : `${skip.kind}: ${skip.why}`;
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
  }
  return [...reasons].map(([why, times]) => `${times} ${times === 1 ? 'scenario' : 'scenarios'}, ${why}`);
}

function realness({ parts, partsUnknown }: Environment): string {
  if (partsUnknown !== undefined) return `How real the sandbox was is not known: ${markdownCell(partsUnknown)}`;
  const others = parts
    .filter(({ provenance }) => provenance !== 'upstream')
    .map(({ name, provenance, role }) => `${name} (${provenance}${role === undefined ? '' : ` for ${role}`})`);
  if (parts.length === 0) return '';
  return others.length === 0
    ? `All ${parts.length} components are the named projects' own code.`
    : `${parts.length - others.length} of ${parts.length} components are the named projects' own code; not so: ${others.join(', ')}.`;
}
