import type { ChainResult } from '../support/canary/link';
import { eventually } from '../support/eventually';
import { shielded } from '../support/interruption';
import { readInventory } from '../support/inventory';
import type { Benchmark } from './benchmark';
import { driveCanary } from './canary-run';
import { ensureLab, fineMs } from './lab';
import { residentNow } from './resident';

const MiB = 1024 * 1024;

/** What the lab needs of this machine's memory. */
export const memory: Benchmark = {
  name: 'memory',
  what: 'the most that all machines of the lab together hold while the canary chain is driven: allocated memory and mapped files of every process, from their cgroups, looked at ten times a second; page cache and the suite itself not included',
  unit: 'MiB',
  goal: 'at most 8192 MiB',
  touches: 'adds the throwaway app and removes it',
  before: ({ say }) => ensureLab(say),
  run: async (context) => {
    const machines = readInventory().machines.map(({ name }) => name);
    const peaks = new Map<string, number>();
    const peak = (name: string, value: number): void => void peaks.set(name, Math.max(value, peaks.get(name) ?? 0));
    await driveCanary(context, (drive) =>
      sampled(drive, () => {
        const whole = residentNow();
        peak('', (whole.anonymous + whole.mapped) / MiB);
        peak('allocated only, as `lab status` shows it', whole.anonymous / MiB);
        for (const machine of machines) {
          const one = residentNow(machine);
          peak(`machine ${machine}`, (one.anonymous + one.mapped) / MiB);
        }
      }),
    );
    for (const [name, value] of peaks) if (name !== '') context.part(name, value);
    return peaks.get('') ?? 0;
  },
  peer: {
    what: 'the same lab just before, at rest',
    run: () => {
      const { anonymous, mapped } = residentNow();
      return Promise.resolve((anonymous + mapped) / MiB);
    },
  },
};

/** Looks again and again until the work has ended, well or not. Milliseconds: longer than any chain. */
const longestMs = 30 * 60_000;

async function sampled(drive: () => Promise<ChainResult>, look: () => void): Promise<ChainResult> {
  const ended = { yet: false };
  const work = drive().finally(() => (ended.yet = true));
  const samples = shielded(() =>
    eventually(
      'the canary chain was driven',
      () => {
        look();
        return Promise.resolve({
          subject: 'the canary chain',
          status: ended.yet ? 'met' : 'unmet',
          expected: 'driven',
          actual: ended.yet ? 'driven' : 'under way',
          source: 'this process',
        });
      },
      { ms: longestMs },
      { longestPauseMs: fineMs },
    ),
  );
  const [result] = await Promise.all([work, samples]);
  return result;
}
