import type { Pickle } from '@cucumber/messages';
import { z } from 'zod';

/** Where the suite's configuration of Cucumber finds the plugin. Cucumber takes it relative to the checkout. */
export const orderPlugin = './support/suite/order-entry.js';

/** A scenario that judges the whole run comes after all others. */
const lastTag = '@last';

const optionsShape = z.object({ stages: z.array(z.string()) });

/** Cucumber's plugin that puts scenarios first that can begin first, whatever feature they stand in. */
export const plugin = {
  type: 'plugin' as const,
  optionsKey: 'order',
  coordinator: ({ transform, options }: Coordinator): void => {
    const { stages } = optionsShape.parse(options);
    transform('pickles:order', (all) => inOrder(all, ({ pickle }) => pickle, stages));
  },
};

/** The part of Cucumber's plugin context that is used; its own type is not exported. */
interface Coordinator {
  options: unknown;
  transform(
    event: 'pickles:order',
    handler: (all: readonly { readonly pickle: Pickle }[]) => readonly { readonly pickle: Pickle }[],
  ): void;
}

/**
 * Sorts scenarios by the stage after which each can begin; those of the same stage keep their order.
 * @param stages the target's stages in the order in which they become ready.
 */
export function inOrder<T>(
  all: readonly T[],
  pickleOf: (one: T) => Pick<Pickle, 'tags'>,
  stages: readonly string[],
): T[] {
  const ranked = all.map((one) => ({ one, rank: rank(pickleOf(one), stages) }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ one }) => one);
}

/** Stages that a scenario waits for (`@needs:NAME`). */
export function needsOf({ tags }: Pick<Pickle, 'tags'>): string[] {
  return tags.flatMap(({ name }) => (name.startsWith('@needs:') ? [name.slice('@needs:'.length)] : []));
}

function rank(pickle: Pick<Pickle, 'tags'>, stages: readonly string[]): number {
  if (pickle.tags.some(({ name }) => name === lastTag)) return stages.length + 1;
  // A stage the target does not know is left for its gate to report: late, so that the others run first.
  const places = needsOf(pickle).map((stage) => (stages.includes(stage) ? stages.indexOf(stage) : stages.length));
  return Math.max(-1, ...places);
}
