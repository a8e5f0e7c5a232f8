import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { run } from '../command';
import { appendEntry, repeatable, sourceOf, type Recorded, type Source } from '../evidence/ledger';
import { targetEntry } from '../evidence/target-entry';
import { reason } from '../failure';
import { overall, type GateResult } from './result';

/** What a gate judged, and with what. */
export interface Judgement {
  results: readonly GateResult[];
  began: Date;
  /** A folder or file that lies in the checkout of the change; none when the factory itself is it. */
  subject?: string;
  /** The plan that was judged: it may lie in the checkout without making it dirty. */
  plan?: string;
  /** Whether the gate looked at the target. */
  overTarget: boolean;
  /** Options that make the verdict another one. */
  facts?: Record<string, string>;
}

/** Appends a gate's run to the ledger. @throws OperatorError */
export async function recordGate(judgement: Judgement): Promise<Recorded> {
  const { results, began, subject, plan, overTarget, facts } = judgement;
  return appendEntry({
    kind: 'gate',
    verdict: overall(results),
    summary: results
      .map(({ gate, subject: what, verdict }) => `${gate} ${what}: ${verdict}`)
      .join('; ')
      .slice(0, 400),
    began,
    command: repeatable('gate'),
    gates: results.map(({ gate, subject: what, verdict, durationMs, summary }) => ({
      gate,
      subject: what,
      verdict,
      seconds: durationMs / 1000,
      summary,
    })),
    ...(overTarget ? { target: await targetEntry() } : {}),
    facts: { ...facts, ...(plan === undefined ? {} : { planSha256: hashOf(plan) }) },
    sources: subject === undefined ? [] : [await checkout(subject, plan)],
    keep: [{ name: 'result.json', text: JSON.stringify(results.map(open), null, 1) }],
  });
}

/** A result with what it found amiss; of what is as it must be, only how much. */
function open({ findings, ...result }: GateResult): unknown {
  const amiss = findings.filter(({ status }) => status !== 'met');
  return { ...result, met: findings.length - amiss.length, findings: amiss.slice(0, 1000) };
}

/** Plans may hold secrets: the ledger keeps their hash. */
function hashOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch (thrown) {
    return `unreadable: ${reason(thrown)}`;
  }
}

/** The whole checkout that a folder or file lies in, as it was. */
async function checkout(path: string, apart: string | undefined): Promise<Source> {
  const folder = resolve(dirname(path.endsWith('.json') ? path : `${path}/.`));
  const { exitCode, stdout } = await run('git', ['-C', folder, 'rev-parse', '--show-toplevel'], { allowFailure: true });
  return sourceOf('subject', exitCode === 0 ? stdout : folder, apart === undefined ? [] : [apart]);
}
