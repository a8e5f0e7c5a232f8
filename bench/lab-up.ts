import { readLabState } from '../sandbox/lab-state';
import type { Benchmark } from './benchmark';
import { assertBuilt, assertNobodyTests, ensureLab, lab, untilHealthy } from './lab';

/** How long an operator waits for a lab from nothing. */
export const labUp: Benchmark = {
  name: 'lab-up',
  what: 'from the command `lab up --fresh`, with components, base system and images built, until it has ended and every Application is Synced and Healthy; the snapshot it takes is included',
  unit: 's',
  goal: 'at most 120 s',
  touches: 'makes it anew',
  before: async () => {
    assertNobodyTests();
    await assertBuilt('measure `lab up` with components built');
  },
  run: async ({ say, part }) => {
    const began = performance.now();
    await lab(['up', '--fresh'], say);
    await untilHealthy();
    const seconds = (performance.now() - began) / 1000;
    // Stages run side by side: they add up to more than the whole.
    for (const [name, stage] of Object.entries(readLabState()?.stages ?? {})) {
      if (stage.seconds !== undefined) part(`stage ${name}`, stage.seconds);
    }
    return seconds;
  },
  after: ({ say }) => ensureLab(say),
};
