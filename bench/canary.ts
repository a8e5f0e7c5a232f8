import type { Benchmark } from './benchmark';
import { driveCanary } from './canary-run';
import { ensureLab } from './lab';

/** How long a new web app takes through every system. */
export const canary: Benchmark = {
  name: 'canary',
  what: 'the convention chain of features/canary.feature, all links from the repository to Synced and Healthy, each with its checks; preparing the working copy and removing the app are not included',
  unit: 's',
  goal: 'at most 20 s',
  touches: 'adds the throwaway app and removes it',
  before: ({ say }) => ensureLab(say),
  run: async (context) => {
    const result = await driveCanary(context);
    for (const { name, seconds } of result.links) context.part(`link ${name}`, seconds);
    return result.seconds;
  },
};
