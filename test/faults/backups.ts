import {
  backupCutShort,
  backupsNeverRemoved,
  backupWithoutATable,
  etcdBackupTorn,
  vaultBackupRefused,
} from '../../support/backups/faults';
import type { Fault } from '../../support/fault';
import type { PlantedFault } from './fault';

function breaksBackup(fault: Fault, scenario: string, step: string, says: RegExp): PlantedFault {
  return { fault, feature: 'features/backups.feature', scenario, redAt: { step, says } };
}

/** Faults of the backups. */
export const backupFaults: readonly PlantedFault[] = [
  breaksBackup(backupCutShort, 'A backup of etcd is whole', 'every object of it is as its manifest says', /unmet/),
  breaksBackup(
    backupsNeverRemoved,
    'Old backups of etcd are removed',
    'no more than eight backups of etcd are kept',
    /at most 8/,
  ),
  breaksBackup(
    backupWithoutATable,
    'Every database comes back in an empty Postgres',
    'production’s ERP has as many rows there as where it was dumped',
    /llx_actioncomm/,
  ),
  breaksBackup(
    etcdBackupTorn,
    'The cluster’s objects come back in an empty etcd',
    'it is restored into an empty etcd',
    /hash|integrity/,
  ),
  breaksBackup(
    vaultBackupRefused,
    'Vault comes back with the sandbox’s own key shares',
    'a backup of vault is made',
    /403|no backup of vault/,
  ),
];
