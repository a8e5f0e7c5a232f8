import { forgeStore, readManifest } from '../sandbox/forge/store';
import type { Benchmark } from './benchmark';
import { assertBuilt } from './lab';

/** What a newcomer waits for once. */
export const forge: Benchmark = {
  name: 'forge',
  what: "the seconds that building each component took when it was built, added up, as the forge's manifest recorded them: on the machine that built them, in the state its Go caches were in; nothing is built now",
  unit: 's',
  once: true,
  run: async ({ say, part }) => {
    await assertBuilt("read the forge's times: a sum without some of them says nothing");
    const built = Object.entries(readManifest(forgeStore()).components);
    for (const [name, { seconds }] of built) part(name, seconds);
    const times = built.map(([, { builtAt }]) => builtAt).sort();
    say(`${built.length} components, built from ${times[0] ?? ''} to ${times.at(-1) ?? ''}`);
    return built.reduce((sum, [, { seconds }]) => sum + seconds, 0);
  },
};
