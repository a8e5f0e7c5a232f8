import type { Fault } from '../../support/fault';

/** A fault with the scenario it must turn red, and where. */
export interface PlantedFault {
  fault: Fault;
  /** The feature file and the scenario's whole name. */
  feature: string;
  scenario: string;
  /** Where the scenario must fail: the step's or hook's text, and what the failure must say. */
  redAt: { step: string; says: RegExp };
  /** True when neither the fault nor the scenario needs the lab. */
  offline?: boolean;
}

/** What became of a planted fault. Only `caught` is green. */
export type Verdict = 'caught' | 'missed' | 'blamed elsewhere' | 'not run' | 'not planted' | 'not healed';

export interface FaultResult {
  fault: string;
  breaks: string;
  verdict: Verdict;
  seconds: number;
  /** Where the scenario failed, or why there is no verdict. */
  detail: string;
}
