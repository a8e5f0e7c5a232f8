import { readLabState } from '../sandbox/lab-state';
import { recover } from '../sandbox/stages';
import type { BenchContext, Benchmark } from './benchmark';
import { assertNobodyTests, assertSnapshot, ensureLab, lab, untilHealthy } from './lab';

/** How long it takes to be back at the converged lab. */
export const labRestore: Benchmark = {
  name: 'lab-restore',
  what: 'from the command `lab restore` on a running lab until it has ended, every pod has become ready since power-on and every Application is Synced and Healthy',
  unit: 's',
  goal: 'at most 20 s',
  touches: 'goes back to the snapshot "converged": what was done since is lost',
  before: async ({ say }) => {
    assertNobodyTests();
    await ensureLab(say);
    assertSnapshot();
  },
  run: async ({ say, part }) => {
    const seconds = await timed(['restore'], say);
    const recovered = readLabState()?.stages[recover.name]?.seconds;
    if (recovered !== undefined) part('recover playbook', recovered);
    return seconds;
  },
  peer: {
    what: 'all machines cut and `lab up`: the same power-on and recovery without replacing disks and secrets',
    run: ({ say }) => timed(['power', 'cut', 'all'], say, ['up']),
  },
  after: ({ say }) => ensureLab(say),
};

/** Seconds that commands of the lab take, one after another, until all is Healthy. */
async function timed(first: readonly string[], say: BenchContext['say'], second?: readonly string[]): Promise<number> {
  const began = performance.now();
  await lab(first, say);
  if (second !== undefined) await lab(second, say);
  await untilHealthy();
  return (performance.now() - began) / 1000;
}
