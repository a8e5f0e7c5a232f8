import { damageUnnoticed, nothingRebuilt, storageStopped } from '../../support/storage/faults';
import type { Fault } from '../../support/fault';
import type { PlantedFault } from './fault';

function breaksStorage(fault: Fault, scenario: string, step: string, says: RegExp): PlantedFault {
  return { fault, feature: 'features/storage.feature', scenario, redAt: { step, says } };
}

const damage = 'Corrupt replicas are noticed and rebuilt';

/** Faults of the storage. */
export const storageFaults: readonly PlantedFault[] = [
  breaksStorage(
    storageStopped,
    'A file of an app lies in a replica on every machine',
    'the volume of the app "documents" is healthy',
    /attached, degraded/,
  ),
  breaksStorage(damageUnnoticed, damage, 'both are noticed to be corrupt', /: not/),
  breaksStorage(nothingRebuilt, damage, 'the volume is healthy again', /attached, degraded/),
];
