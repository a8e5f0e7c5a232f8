import { z } from 'zod';
import { selectTarget } from '../support/target';
import { defineUndo } from '../support/undo';
import { drillContext } from './definition';
import { drillNamed } from './registry';

/** Brings the sandbox back after a drill that ended half-way, also from another process. */
export const drillUndo = defineUndo({
  name: 'drill',
  args: z.object({ drill: z.string(), memory: z.unknown() }),
  needs: [],
  run: async ({ drill, memory }) => {
    await drillNamed(drill).heal(drillContext(selectTarget()), memory);
  },
});
