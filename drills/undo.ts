import { z } from 'zod';
import { selectTarget, type Target } from '../support/target';
import { defineUndo, Leftovers } from '../support/undo';
import { drillContext } from './definition';
import { drillNamed } from './registry';

const kind = 'drill';
const argsShape = z.object({ drill: z.string(), memory: z.unknown() });

/** Brings the sandbox back after a drill that ended half-way, also from another process. */
export const drillUndo = defineUndo({
  name: kind,
  args: argsShape,
  needs: [],
  run: async ({ drill, memory }) => {
    await drillNamed(drill).heal(drillContext(selectTarget()), memory);
  },
});

/**
 * Takes over the undo that a left drill has on disk: its fault is still there.
 * @returns what drops the record, once the drill has registered its own; undefined when somebody has undone it.
 */
export function adoptUndo(leftovers: Leftovers, sandbox: string | undefined, drill: string): (() => void) | undefined {
  return leftovers.adopt(sandbox, kind, (args) => argsShape.safeParse(args).data?.drill === drill);
}

/** Undoes what killed runs left on a target. @returns what was undone. @throws OperatorError as `Leftovers.replay`. */
export function undoLeft(target: Target, leftovers = new Leftovers()): Promise<string[]> {
  return leftovers.replay(target.identity(), async (stage) => (await target.ready(stage)).status === 'met');
}
