import { caReinitialised, machineDistrusts, wildcardNotServed } from '../../support/pki/faults';
import type { Fault } from '../../support/fault';
import type { PlantedFault } from './fault';

function breaksPki(fault: Fault, step: string, says: RegExp): PlantedFault {
  return {
    fault,
    feature: 'features/pki.feature',
    scenario: 'The wildcard is issued, served and trusted',
    redAt: { step, says },
  };
}

/** Faults of the certificates. */
export const pkiFaults: readonly PlantedFault[] = [
  breaksPki(caReinitialised, 'every Certificate is Ready and leads to the CA’s root', /is not signed by/),
  breaksPki(wildcardNotServed, 'the ingress serves the wildcard to any name of the zone', /TRAEFIK DEFAULT CERT/),
  breaksPki(
    machineDistrusts,
    'every machine and a pod on each verify it with their own trust',
    /unmet[^\n]*TLS from pi3/,
  ),
];
