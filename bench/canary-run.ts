import type { ChainResult } from '../support/canary/link';
import { canaryUndo, driveChain, prepareCanary } from '../support/canary/scenario';
import { OperatorError } from '../support/failure';
import { selectTarget } from '../support/target';
import { Leftovers, UndoJournal } from '../support/undo';
import type { BenchContext } from './benchmark';

const app = 'canary';

/** Undoes what an earlier run of suite or benchmark left of its throwaway app. */
export async function withoutLeftovers({ say }: BenchContext): Promise<void> {
  const target = selectTarget();
  const ready = async (stage: string): Promise<boolean> => (await target.ready(stage)).status === 'met';
  for (const done of await new Leftovers().replay(target.identity(), ready)) say(`done for an earlier run: ${done}`);
}

/**
 * Drives the canary through every system and takes it out again; the lab is held meanwhile as the suite holds it.
 * @param around sees the chain while it is driven; called with the work and must await it.
 * @throws OperatorError when a link does not hold: the time of a broken chain is no figure.
 */
export async function driveCanary(
  context: BenchContext,
  around: (drive: () => Promise<ChainResult>) => Promise<ChainResult> = (drive) => drive(),
): Promise<ChainResult> {
  const target = selectTarget();
  const leave = target.occupy();
  try {
    await withoutLeftovers(context);
    const journal = new UndoJournal('benchmark', target.identity());
    journal.register(`${app} is gone from every system`, canaryUndo({ app }));
    let result: ChainResult;
    const undoBegan: { at?: number } = {};
    try {
      const prepared = await prepareCanary(app);
      result = await around(() => driveChain(prepared));
    } finally {
      undoBegan.at = performance.now();
      await journal.undoAll();
    }
    context.say(`taken out of every system in ${((performance.now() - undoBegan.at) / 1000).toFixed(1)} s`);
    if (result.brokenAt === undefined) return result;
    throw new OperatorError({
      attempted: 'drive the canary chain',
      expected: 'every link to hold',
      seen: `link ${result.brokenAt} is broken: ${result.likelyCause ?? 'unknown cause'}`,
      next: 'run `npm run suite -- features/canary.feature`, mend what it names, and measure again.',
    });
  } finally {
    leave();
  }
}
