import { OperatorError } from './failure';
import type { Systems } from './systems';
import type { Target } from './target';

/** What planting a fault may use. */
export interface FaultContext {
  target: Target;
  systems: Systems;
}

/** One thing to break, and how it is mended. Healing needs nothing that planting remembered: another process may do it. */
export interface Fault {
  name: string;
  /** What is broken, as a sentence for the table of planted faults. */
  breaks: string;
  plant: (context: FaultContext) => Promise<void>;
  /** Succeeds also when there is nothing to mend. */
  heal: (context: FaultContext) => Promise<void>;
}

/** A fault that stops a supervised service on the machine of an inventory group. */
export function stoppedService(name: string, breaks: string, group: string, service: string): Fault {
  const control =
    (action: 'down' | 'up') =>
    async ({ target }: FaultContext): Promise<void> => {
      const machine = target.inventory.machines.find((one) => one.groups.includes(group));
      if (machine === undefined) {
        throw new OperatorError({
          attempted: `bring service ${service} ${action}`,
          where: target.inventory.file,
          expected: `a machine in group ${group}`,
          seen: 'none',
          next: 'correct the inventory.',
        });
      }
      await target.onMachine(machine.name, ['sv', '-w', '30', action, `/etc/lab-service/${service}`]);
    };
  return { name, breaks, plant: control('down'), heal: control('up') };
}
