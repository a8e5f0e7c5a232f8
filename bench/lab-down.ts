import type { Benchmark } from './benchmark';
import { assertNobodyTests, ensureLab, lab } from './lab';

/** How long it takes to leave nothing behind. */
export const labDown: Benchmark = {
  name: 'lab-down',
  what: 'the command `lab down` on a lab that is up, from its start to its end; snapshots stay',
  unit: 's',
  goal: 'at most 5 s',
  touches: 'takes it down and brings it up again, from the snapshot of the same sources or else from nothing',
  before: async ({ say }) => {
    assertNobodyTests();
    await ensureLab(say);
  },
  run: ({ say }) => lab(['down'], say),
  after: ({ say }) => ensureLab(say),
};
