import * as erp from '../../support/erp/faults-mishaps';
import type { PlantedFault } from './fault';

const feature = 'features/reset.feature';
const inVain = (mishap: string): string => `A reset during which ${mishap} says so and leaves the sandbox as it was`;
const halfDone = (mishap: string): string => `A reset during which ${mishap} says so, and the next one goes on`;

/** Planted faults of what goes wrong during a reset. */
export const erpMishapFaults: readonly PlantedFault[] = [
  {
    fault: erp.sandboxMoves,
    feature,
    scenario: inVain('the bucket is away'),
    redAt: { step: 'the sandbox is as before, and serves', says: /differs in llx_const/ },
  },
  {
    fault: erp.noMachine,
    feature,
    scenario: inVain('a pod does not stop'),
    redAt: { step: 'the sandbox is as before, and serves', says: /no answer/ },
  },
  {
    fault: erp.diskFreed,
    feature,
    scenario: halfDone('the disk of Postgres is full'),
    redAt: { step: 'the reset says "the disk of Postgres is full"', says: /it was done/ },
  },
  {
    fault: erp.leaseOutlived,
    feature,
    scenario: halfDone('its lease has ended'),
    redAt: { step: 'the reset says "has ended: Postgres does not know the user"', says: /it was done/ },
  },
];
