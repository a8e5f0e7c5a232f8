import {
  backupCutShort,
  backupManifestFirst,
  backupsNeverRemoved,
  backupWithoutATable,
  etcdBackupTorn,
  vaultBackupRefused,
} from '../../support/backups/faults';
import {
  volumeBackupsNeverRemoved,
  volumeBackupsStale,
  volumeBlocksRotten,
  volumeBucketForgets,
  volumeRestoreFromCache,
  volumeRetentionTooEager,
} from '../../support/backups/volume-faults';
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
  breaksBackup(
    backupManifestFirst,
    'A backup of etcd is whole',
    'its manifest was written last',
    /younger than all it names/,
  ),
  breaksBackup(
    volumeBlocksRotten,
    'A backup of volumes is whole',
    'every object of it is as its manifest says',
    /unmet │ blocks of backup-/,
  ),
  breaksBackup(
    volumeBucketForgets,
    'A backup of volumes is whole',
    'a backup of volumes is made',
    /acknowledged block \w+ and does not list it/,
  ),
  breaksBackup(
    volumeRetentionTooEager,
    'Old backups of volumes are removed, but no block that a kept one needs',
    'the bucket has every block of the kept ones, and no other',
    /lacks \d+ of \d+ blocks/,
  ),
  breaksBackup(
    volumeBackupsNeverRemoved,
    'Old backups of volumes are removed, but no block that a kept one needs',
    'the bucket has every block of the kept ones, and no other',
    // As many as there were, and one more: how many depends on how often the schedule ran.
    /saw (9|\d\d+) backups/,
  ),
  breaksBackup(
    volumeBackupsStale,
    'A volume comes back in an empty one',
    'it holds the same files as the live one',
    /lacks storage-feature\.txt/,
  ),
  breaksBackup(
    volumeRestoreFromCache,
    'A backup that was changed in the bucket is refused',
    'the storage refuses it and says which block',
    /RestoreFailure[^]*restored/,
  ),
];
