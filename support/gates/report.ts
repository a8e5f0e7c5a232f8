import Table from 'cli-table3';
import { XMLBuilder } from 'fast-xml-parser';
import type { Finding } from '../finding';
import { overall, type GateResult } from './result';

/** Findings a person reads before giving up; the JSON output holds all. */
const mostFindings = 40;

const plain = { style: { head: [], border: [], compact: true }, wordWrap: true };

/** The results for a person: a table of the gates, and under each that is not green what is wrong and the next step. */
export function asText(results: readonly GateResult[]): string {
  const table = new Table({ ...plain, head: ['gate', 'subject', 'verdict', 'seconds'] });
  for (const { gate, subject, verdict, durationMs } of results) {
    table.push([gate, subject, verdict, seconds(durationMs)]);
  }
  return [table.toString(), ...results.map(open)].join('\n');
}

/** The results for a program: `{ verdict, results: GateResult[] }`. */
export function asJson(results: readonly GateResult[]): string {
  return JSON.stringify({ verdict: overall(results), results }, null, 2);
}

/** JUnit's XML: a suite a gate, a case a finding; red is a failure, `cannot tell` an error. */
export function asJUnit(results: readonly GateResult[]): string {
  const builder = new XMLBuilder({ ignoreAttributes: false, format: true, suppressEmptyNode: true });
  const suites = results.map((result) => {
    const { gate, subject, findings, durationMs } = result;
    return {
      '@_name': `${gate} ${clean(subject)}`,
      '@_tests': findings.length,
      '@_failures': count(findings, 'unmet'),
      '@_errors': count(findings, 'unknown'),
      '@_time': seconds(durationMs),
      testcase: findings.map((finding) => testCase(result, finding)),
    };
  });
  const tests = results.flatMap(({ findings }) => findings);
  const totals = { '@_tests': tests.length, '@_failures': count(tests, 'unmet'), '@_errors': count(tests, 'unknown') };
  const document = {
    '?xml': { '@_version': '1.0', '@_encoding': 'UTF-8' },
    testsuites: { ...totals, testsuite: suites },
  };
  return builder.build(document);
}

function testCase({ gate, subject, detail }: GateResult, finding: Finding): Record<string, unknown> {
  const named = { '@_classname': `gate.${gate}.${clean(subject)}`, '@_name': clean(finding.subject), '@_time': '0' };
  if (finding.status === 'met') return named;
  const hint = finding.hint === undefined ? '' : `\nNext: ${finding.hint}`;
  const more = detail === undefined ? '' : `\n${detail}`;
  const text = `expected ${finding.expected}, saw ${finding.actual} [${finding.source}]${hint}${more}`;
  const body = { '@_message': clean(finding.actual), '#text': clean(text) };
  return { ...named, [finding.status === 'unmet' ? 'failure' : 'error']: body };
}

function open({ gate, verdict, summary, findings, detail }: GateResult): string {
  const rank = { unmet: 0, unknown: 1, met: 2 };
  const bad = findings.filter(({ status }) => status !== 'met').sort((a, b) => rank[a.status] - rank[b.status]);
  // A gate that could not look at all has said so in its sentence.
  if (verdict === 'green' || (verdict === 'cannot tell' && findings.length === 1)) return `${gate}: ${summary}`;
  const shown = bad
    .slice(0, mostFindings)
    .map(({ status, subject, expected, actual, source, hint }) =>
      [
        `${status === 'unmet' ? 'red' : 'cannot tell'}: ${subject}`,
        `  seen      ${actual}`,
        `  expected  ${expected} (${source})`,
        ...(hint === undefined ? [] : [`  next      ${hint}`]),
      ].join('\n'),
    );
  const rest = bad.length > mostFindings ? `... and ${bad.length - mostFindings} more (--json lists them all)` : '';
  return [`${gate}: ${summary}`, ...shown, rest, detail ?? ''].filter((text) => text !== '').join('\n');
}

function count(findings: readonly Finding[], status: Finding['status']): number {
  return findings.filter((finding) => finding.status === status).length;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2);
}

/** XML 1.0 has no control characters but tab and line ends: a report with one in it is read by nobody. */
function clean(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
}
