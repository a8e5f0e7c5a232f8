import type { Benchmark } from './benchmark';
import { canary } from './canary';
import { drills } from './drills';
import { evidence } from './evidence';
import { forge } from './forge';
import { gateDns } from './gate-dns';
import { gates } from './gates';
import { guard } from './guard';
import { labDown } from './lab-down';
import { labRestore } from './lab-restore';
import { labUp } from './lab-up';
import { memory } from './memory';
import { nodesReady } from './nodes-ready';
import { redaction } from './redaction';
import { reports } from './reports';
import { resets } from './reset';
import { suiteWarm } from './suite-warm';

/** All benchmarks, in the order in which they are run: what leaves the lab alone first, what takes it away last. */
export const benchmarks: readonly Benchmark[] = [
  guard,
  redaction,
  gateDns,
  ...evidence,
  forge,
  reports,
  labUp,
  canary,
  memory,
  gates,
  suiteWarm,
  drills,
  ...resets,
  nodesReady,
  labRestore,
  labDown,
];
