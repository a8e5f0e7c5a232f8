import { join } from 'node:path';
import { projectRoot } from '../support/paths';
import type { Benchmark } from './benchmark';
import { projectCommand } from './commands';
import { ensureLab } from './lab';
import { suiteMain, withReports } from './suite-warm';

const gateMain = join(projectRoot, 'support', 'gates', 'main.ts');
const features = ['gates', 'parity', 'isolation', 'env-coordinate'].map((name) => `features/${name}.feature`);

/** How long a pull request waits for all its gates. */
export const gates: Benchmark = {
  name: 'gates',
  what: 'the command `npm run suite` over the features of all gates (idempotence, plan, render, DNS, parity, isolation, environment coordinate) on the converged lab, from its start to its end',
  unit: 's',
  goal: 'at most 120 s',
  touches: 'what its scenarios do, and undo',
  before: ({ say }) => ensureLab(say),
  run: ({ say }) => withReports((out) => projectCommand([suiteMain, ...features], say, { REPORTS_OUT: out })),
  peer: {
    what: 'the command `gate -- idempotence` alone: every playbook once in check mode, the longest of them',
    run: ({ say }) => projectCommand([gateMain, 'idempotence'], say),
  },
};
