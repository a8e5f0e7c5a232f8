import { appendEntry, repeatable, type Recorded } from '../../evidence/ledger';
import { targetEntry } from '../../evidence/target-entry';
import type { ResetResult } from './reset';

/** Appends a reset to the ledger: what it went back to, or why it did not. @throws OperatorError when it cannot be kept. */
export async function recordReset(outcome: ResetResult | { failed: string }, began: Date): Promise<Recorded> {
  const common = { kind: 'reset' as const, began, command: repeatable('reset'), target: await targetEntry() };
  if ('failed' in outcome) return appendEntry({ ...common, verdict: 'red', summary: outcome.failed.slice(0, 400) });
  const seconds = Object.entries(outcome.seconds).map(([step, time]) => `${step} ${time.toFixed(1)}`);
  return appendEntry({
    ...common,
    verdict: 'green',
    summary: `the ERP's sandbox is at golden ${outcome.golden}`,
    facts: {
      golden: outcome.golden,
      restored: outcome.restored.total,
      final: outcome.final.total,
      documents: outcome.documents === undefined ? 'not asked for' : JSON.stringify(outcome.documents),
      as: outcome.user,
      seconds: seconds.join(', '),
    },
  });
}
