import { appOfAppsManual } from '../../support/argocd/faults';
import { bucketStopped } from '../../support/backups/faults';
import type { Fault } from '../../support/fault';
import { giteaStopped } from '../../support/gitea/faults';
import { nodesCordoned, repoServerDown, secretsOperatorDown } from '../../support/kubernetes/faults';
import {
  credentialInVault,
  credentialOnMachine,
  keyFileReadable,
  packetOut,
  productionInInventory,
  productionInKubeconfig,
  stateOutsidePrefix,
} from '../../support/isolation/faults';
import { holeInBoundary } from '../../support/isolation/holes';
import { editorPowerless, lookupLocked, pgbouncerStopped, postgresStopped } from '../../support/postgres/faults';
import { ciIssuerReplaced, vaultSealed } from '../../support/vault/faults';
import { backupFaults } from './backups';
import { erpFaults } from './erp';
import { erpMishapFaults } from './erp-mishaps';
import type { PlantedFault } from './fault';
import { evidenceFaults } from './evidence';
import { gateFaults } from './gates';
import { storageFaults } from './storage';
import { pkiFaults } from './pki';
import { parityFaults } from './parity';
// The runner undoes what a broken scenario had to leave behind; it must know how.
import '../../support/canary/scenario';

/** A fault that must break the canary's chain at one link. */
function breaksLink(fault: Fault, link: string): PlantedFault {
  return {
    fault,
    feature: 'features/canary.feature',
    scenario: 'The canary passes every link of the convention chain and leaves nothing behind',
    redAt: { step: 'these links hold:', says: new RegExp(`link ${link}\\W+holds\\W+broken`) },
  };
}

/** A fault that lets the sandbox share something with production. */
function breaksSeparation(fault: Fault, step: string, says: RegExp): PlantedFault {
  return {
    fault,
    feature: 'features/isolation.feature',
    scenario: 'The sandbox shares nothing with production',
    redAt: { step, says },
  };
}

/** A boundary with one hole, in the rig where nothing can leave. */
function opensWay(fault: Fault, attempt: RegExp): PlantedFault {
  return {
    fault,
    feature: 'features/isolation.feature',
    scenario: 'Every known way to production ends before a packet leaves',
    redAt: {
      step: 'with the boundary whole each is refused for the right reason and no packet arrives',
      says: new RegExp(`${attempt.source}[^]*arrived at`),
    },
  };
}

/** Every planted fault, with the scenario that must catch it and where. A check that none of these can turn red does not count. */
export const plantedFaults: readonly PlantedFault[] = [
  breaksLink(giteaStopped, 'repository'),
  breaksLink(postgresStopped, 'database'),
  breaksLink(bucketStopped, 'database'),
  // postgres/iac keeps the editor's password in Vault: it is the first to need it.
  breaksLink(vaultSealed, 'database'),
  breaksLink(ciIssuerReplaced, 'ci-role'),
  breaksLink(pgbouncerStopped, 'credentials'),
  breaksLink(lookupLocked, 'credentials'),
  breaksLink(editorPowerless, 'credentials'),
  breaksLink(appOfAppsManual, 'application'),
  breaksLink(repoServerDown, 'application'),
  breaksLink(secretsOperatorDown, 'secret'),
  breaksLink(nodesCordoned, 'pod'),
  breaksSeparation(
    productionInKubeconfig,
    'every document the suite connects by leads to the sandbox alone',
    /planted-production/,
  ),
  breaksSeparation(
    productionInInventory,
    'every document the suite connects by leads to the sandbox alone',
    /postgres_host|192\.168\.1\.201/,
  ),
  breaksSeparation(stateOutsidePrefix, 'every state of OpenTofu lies under the sandbox’s prefix', /erp\/main\/planted/),
  breaksSeparation(
    keyFileReadable,
    'Vault is the sandbox’s own, with a key file that only the operator can read',
    /mode of[^]*644/,
  ),
  breaksSeparation(
    credentialInVault,
    'no credential of production lies anywhere in the sandbox',
    /CLOUDFLARE_API_TOKEN/,
  ),
  breaksSeparation(
    credentialOnMachine,
    'no credential of production lies anywhere in the sandbox',
    /OVH_APPLICATION_SECRET/,
  ),
  opensWay(holeInBoundary('redirect', 'A redirect to production is followed.'), /axios, redirected/),
  opensWay(holeInBoundary('remote-url', 'A git remote at production is used.'), /git over http/),
  opensWay(
    holeInBoundary('environment', 'A proxy at production is taken from the environment.'),
    /proxy in its environment/,
  ),
  opensWay(holeInBoundary('look-up', 'A name that resolves to production is connected to.'), /DNS rebinding/),
  {
    fault: packetOut,
    feature: 'features/isolation.feature',
    scenario: 'No packet leaves the sandbox',
    redAt: {
      step: 'the sandbox’s edge has counted no packet to production or anywhere outside',
      says: /packets out of the lab/,
    },
  },
  ...parityFaults,
  ...evidenceFaults,
  ...gateFaults,
  ...erpFaults,
  ...erpMishapFaults,
  ...backupFaults,
  ...storageFaults,
  ...pkiFaults,
];
