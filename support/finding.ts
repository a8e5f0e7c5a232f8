/** `unknown` means the observation itself failed: it is never green (design rule 3). */
export type FindingStatus = 'met' | 'unmet' | 'unknown';

/** What a probe returns instead of a boolean: enough to write the report line and to say what to do next. */
export interface Finding {
  /** What was looked at, as a noun phrase: "node pi3", "Vault policy canary-ops". */
  subject: string;
  status: FindingStatus;
  expected: string;
  actual: string;
  /** Where the value was read: a command, an API path, a query. */
  source: string;
  /** The likely cause or the next step, when the probe knows one. */
  hint?: string;
  /** True on an `unmet` finding that time cannot mend (a refused login, a broken manifest): it ends a wait early. */
  final?: boolean;
}

/** A finding from a comparison of two strings. */
export function compare(subject: string, expected: string, actual: string, source: string, hint?: string): Finding {
  const status = expected === actual ? 'met' : 'unmet';
  return { subject, status, expected, actual, source, ...(hint === undefined ? {} : { hint }) };
}

/** The worst of several findings decides: unmet before unknown before met. No findings at all is unknown. */
export function worst(findings: readonly Finding[]): FindingStatus {
  if (findings.length === 0) return 'unknown';
  if (findings.some((finding) => finding.status === 'unmet')) return 'unmet';
  return findings.some((finding) => finding.status === 'unknown') ? 'unknown' : 'met';
}

/** One line for a failure message or a report table. */
export function describe(finding: Finding): string {
  const hint = finding.hint ? ` (${finding.hint})` : '';
  return `${finding.subject}: ${finding.status}; expected ${finding.expected}, saw ${finding.actual} [${finding.source}]${hint}`;
}

/** The first finding that is not met, for a wait until all are; a met one when all are. None at all is unknown. */
export function firstTrouble(findings: readonly Finding[]): Finding {
  const subject = findings.map((finding) => finding.subject).join(', ') || 'nothing';
  const all: Finding = { subject, status: worst(findings), expected: 'met', actual: 'met', source: 'every probe' };
  return findings.find(({ status }) => status !== 'met') ?? all;
}
