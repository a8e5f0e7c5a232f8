import { OperatorError, reason } from '../failure';
import { worst, type Finding } from '../finding';

/** What a gate says of a change. `cannot tell` is never green: the gate itself could not look (design rule 3). */
export type GateVerdict = 'green' | 'red' | 'cannot tell';

/** The exit code a verdict ends the command with; a contract that pull requests rely on. */
export const exitCodes: Readonly<Record<GateVerdict, number>> = { green: 0, red: 1, 'cannot tell': 2 };

/** What every gate returns. */
export interface GateResult {
  /** `dns`, `render`, `idempotence` or `plan`. */
  gate: string;
  /** What was judged: a file, a chart, a playbook, a folder. */
  subject: string;
  verdict: GateVerdict;
  /** One sentence: what was looked at and what came out. */
  summary: string;
  findings: Finding[];
  /** What a person wants to read beside the findings: a unified diff. */
  detail?: string;
  /** Wall time in milliseconds. */
  durationMs: number;
}

/** The verdict that findings amount to: a finding that is not met is red, one that could not be made is `cannot tell`. */
export function verdictOf(findings: readonly Finding[]): GateVerdict {
  const verdicts = { met: 'green', unmet: 'red', unknown: 'cannot tell' } as const;
  return verdicts[worst(findings)];
}

/** The verdict over several results: red before `cannot tell` before green; none at all is `cannot tell`. */
export function overall(results: readonly GateResult[]): GateVerdict {
  if (results.some(({ verdict }) => verdict === 'red')) return 'red';
  return results.length > 0 && results.every(({ verdict }) => verdict === 'green') ? 'green' : 'cannot tell';
}

/** A look's outcome before it is timed and named. */
export interface Judged {
  summary: string;
  findings: Finding[];
  detail?: string;
}

/**
 * Runs a gate's look and makes a result of it. An `OperatorError` becomes `cannot tell` with its sentence, so that `--json`
 * and JUnit say it too. Anything else thrown is a defect and stays thrown.
 */
export async function judged(gate: string, subject: string, look: () => Promise<Judged>): Promise<GateResult> {
  const began = performance.now();
  const elapsed = (): number => Math.round(performance.now() - began);
  try {
    const { summary, findings, detail } = await look();
    const verdict = verdictOf(findings);
    const more = detail === undefined || detail === '' ? {} : { detail };
    return { gate, subject, verdict, summary, findings, ...more, durationMs: elapsed() };
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    return { gate, subject, ...undecided(subject, thrown), durationMs: elapsed() };
  }
}

function undecided(subject: string, thrown: OperatorError): Omit<GateResult, 'gate' | 'subject' | 'durationMs'> {
  const { attempted, where, expected, seen, next } = thrown.parts;
  const finding: Finding = {
    subject,
    status: 'unknown',
    expected: expected ?? `to ${attempted}`,
    actual: seen ?? reason(thrown),
    source: where ?? attempted,
    hint: next,
  };
  return { verdict: 'cannot tell', summary: thrown.message, findings: [finding] };
}
