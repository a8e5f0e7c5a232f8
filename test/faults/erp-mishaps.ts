import * as erp from '../../support/erp/faults-mishaps';
import type { Fault } from '../../support/fault';
import type { PlantedFault } from './fault';

const feature = 'features/reset.feature';
const inVain = (mishap: string): string => `A reset during which ${mishap} says so and leaves the sandbox as it was`;
const halfDone = (mishap: string): string => `A reset during which ${mishap} says so, and the next one goes on`;

/** A fault that a copy of documents must not pass over. */
function breaksCopy(fault: Fault, says: RegExp): PlantedFault {
  return {
    fault,
    feature: 'features/erp-documents.feature',
    scenario: "Documents stay as the agent left them until a reset is asked for them, and are production's then",
    redAt: { step: "the sandbox has production's documents", says },
  };
}

/** Planted faults of what goes wrong during a reset, and of the documents it copies. */
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
  breaksCopy(erp.documentReturns, /also has facture\/PLANTED/),
  breaksCopy(erp.contentLost, /has another facture\//),
  breaksCopy(erp.productionUploads, /documents at rest/),
];
