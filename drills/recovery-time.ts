import type { Recovery, StepRecord } from './journal';

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
