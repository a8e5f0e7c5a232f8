import type { Fault } from '../../support/fault';
import { factoryFault } from '../../support/gates/faults';
import { mountByHand } from '../../support/vault/faults';
import type { PlantedFault } from './fault';

function drifts(fault: Fault, says: RegExp): PlantedFault {
  return {
    fault,
    feature: 'features/parity.feature',
    scenario: 'Every item matches production, or deviates as the target declares',
    redAt: { step: 'every item matches production or deviates as declared', says },
  };
}

const manifest = 'parity.yml';

/** The planted faults of the parity gate: on the sandbox's side, and on production's. */
export const parityFaults: readonly PlantedFault[] = [
  drifts(mountByHand, /parity of vault-mounts[^]*undeclared drift: [^]*planted/),
  drifts(
    factoryFault('production-moved-on', 'Production was upgraded, the sandbox was not.', manifest, (text) =>
      text.replace('expected: v3.2.0', 'expected: v3.3.0'),
    ),
    /parity of argocd[^]*undeclared drift: v3\.2\.0/,
  ),
  drifts(
    factoryFault('needless-deviation', 'Production runs what the target declares as a deviation.', manifest, (text) =>
      text.replace('expected: v1.34.3+k3s1', 'expected: v1.34.3'),
    ),
    /parity of kubernetes[^]*deviation no longer observed/,
  ),
];
