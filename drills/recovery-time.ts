import type { Journal, Phase, Recovery, StepRecord } from './journal';

/** Instants of a recovery, in milliseconds since the epoch. */
export interface Instants {
  injected: number;
  detected: number;
  /** The runbook's last step ended. */
  followed: number;
  /** First of the looks that proved the recovery. */
  recovered: number;
}

/** Splits the time to recover by what it was spent on. */
export function splitRecovery(
  { injected, detected, followed, recovered }: Instants,
  steps: readonly StepRecord[],
  decisionsMs = 0,
): Recovery {
  const spent = (kinds: readonly string[]): number =>
    steps
      .filter(({ kind }) => kinds.includes(kind))
      .reduce((sum, { started, ended }) => sum + (Date.parse(ended) - Date.parse(started)), 0);
  const totalMs = recovered - injected;
  const detectionMs = detected - injected;
  const personMs = spent(['person']) + decisionsMs;
  const commandMs = spent(['check', 'run', 'destructive']);
  const convergenceMs = spent(['wait-until']) + Math.max(recovered - followed, 0);
  const overheadMs = Math.max(totalMs - detectionMs - personMs - commandMs - convergenceMs, 0);
  return { totalMs, detectionMs, personMs, commandMs, convergenceMs, overheadMs };
}

/** Phases that neither break nor repair anything. */
const around: readonly Phase[] = ['gate', 'undo-registered', 'undo', 'check'];

/**
 * What the suite took of a drill that recovered, in milliseconds: the phases around it, what lay between the runbook's steps,
 * and the looks after the first good one. What injecting took, and using what was repaired, are the drill itself.
 */
export function suiteMs({ phases, recovery, injectedAt }: Pick<Journal, 'phases' | 'recovery' | 'injectedAt'>): number {
  if (recovery === null) return 0;
  const firstGood = Date.parse(injectedAt ?? '') + recovery.totalMs;
  const took = (began: number, ended: string | null): number =>
    ended === null ? 0 : Math.max(Date.parse(ended) - began, 0);
  return phases.reduce((sum, { phase, started, ended }) => {
    if (around.includes(phase)) return sum + took(Date.parse(started), ended);
    return phase === 'recover' ? sum + took(firstGood, ended) : sum;
  }, recovery.overheadMs);
}
