import { worst, type Finding } from '../finding';
import type { GateResult } from './result';

/** A title that says what is wrong first: the table below it folds long names. */
export function titled(title: string, findings: readonly Finding[]): string {
  const first = findings.find(({ status }) => status === worst(findings) && status !== 'met');
  return first === undefined ? title : `${title}: ${first.subject}: expected ${first.expected}, saw ${first.actual}`;
}

/** As `titled`, for gates: the sentences of those that are not green. */
export function titledByGates(title: string, results: readonly GateResult[]): string {
  const open = results
    .filter(({ verdict }) => verdict !== 'green')
    .map(({ subject, summary }) => `${subject}: ${summary}`);
  return [title, ...open].join(': ');
}

/** The findings of several results as one list, each with what it is about. */
export function findingsOf(results: readonly GateResult[]): Finding[] {
  return results.flatMap(({ subject, findings }) =>
    findings.map((finding) => ({ ...finding, subject: `${subject}: ${finding.subject}` })),
  );
}

/** Whether each of these subjects was judged, and green. */
export function planned(results: readonly GateResult[], subjects: readonly string[]): Finding[] {
  return subjects.map((subject) => {
    const result = results.find((one) => one.subject === subject);
    const status = result?.verdict === 'green' ? 'met' : 'unmet';
    return { subject, status, expected: 'green', actual: result?.summary ?? 'not planned', source: 'the plan gate' };
  });
}

/** Whether the gate is red and a finding of it begins with each of these words. */
export function names(results: readonly GateResult[], words: readonly string[]): Finding[] {
  const said = results.flatMap(({ findings }) => findings.filter(({ status }) => status === 'unmet'));
  return words.map((wanted) => {
    const found = said.some(({ actual }) => actual === wanted);
    const actual = found ? wanted : said.map((finding) => finding.actual).join('; ') || 'nothing red';
    return { subject: `"${wanted}"`, status: found ? 'met' : 'unmet', expected: wanted, actual, source: 'the gate' };
  });
}

/** Whether this instance was rendered, and of all that were, it alone differs. */
export function redAlone(results: readonly GateResult[], instance: string): Finding[] {
  const rendered = results.flatMap(({ findings }) => findings);
  const its = rendered.filter(({ subject }) => subject === `render of ${instance}`);
  const others = rendered.filter((finding) => !its.includes(finding));
  const source = 'the render gate';
  return [
    {
      subject: `render of ${instance}`,
      status: its.length === 1 && its[0]?.status === 'unmet' ? 'met' : 'unmet',
      expected: 'red',
      actual: its.map(({ actual }) => actual).join('; ') || 'it was not rendered',
      source,
    },
    ...others,
  ];
}
