import { defineParameterType, Given, Then, When } from '@cucumber/cucumber';
import { argocdNamespace } from '../support/argocd/client';
import { ancientGone, putAncientBackups } from '../support/backups/ancient';
import {
  backupKinds,
  backupsKept,
  makeBackup,
  probeBackupWhole,
  probeManifestLast,
  probeRetention,
  type BackupKind,
} from '../support/backups/backups';
import { connectBackupBucket } from '../support/backups/client';
import { RestoredEtcd } from '../support/backups/cold/etcd';
import { probeContents, probeSameRows, restorePostgres, type RestoredPostgres } from '../support/backups/cold/postgres';
import { probeSameVault, restoreVault } from '../support/backups/cold/vault';
import { judgeKept, volumeContents } from '../support/backups/volumes';
import { eventually } from '../support/eventually';
import { firstTrouble } from '../support/finding';
import { instanceNamespaces } from '../support/gates/env-coordinate/untouched';
import { ScratchServers } from '../support/scratch-servers';
import { connectSystems } from '../support/systems';
import type { VaultClient } from '../support/vault/client';
import { Fact, type SandboxWorld } from '../support/world';

const theBackup = new Fact<string>('the backup');
const theServers = new Fact<ScratchServers>('the empty servers');
const theEtcd = new Fact<RestoredEtcd>('the restored etcd');
const thePostgres = new Fact<RestoredPostgres>('the restored Postgres');
const theVault = new Fact<VaultClient>('the restored Vault');

defineParameterType({
  name: 'backup',
  regexp: new RegExp(backupKinds.join('|')),
  transformer: (one) => one as BackupKind,
});

/** Servers of the scenario, gone with it. */
async function emptyServers(world: SandboxWorld): Promise<ScratchServers> {
  const servers = await ScratchServers.begin();
  world.undo('what was restored is gone', servers.undoOfFolder());
  world.undo('the servers that restored it have ended', () => servers.stop());
  return world.remember(theServers, servers);
}

Given('the bucket holds ten backups of {backup} from 1970', async function (this: SandboxWorld, what: BackupKind) {
  this.undo('the backups of 1970 are gone', ancientGone({ what }));
  await putAncientBackups(this.target, what);
});

When('a backup of {backup} is made', async function (this: SandboxWorld, what: BackupKind) {
  this.remember(theBackup, await makeBackup(this.target, what));
});

Then('every object of it is as its manifest says', async function (this: SandboxWorld) {
  const bucket = connectBackupBucket(this.target.inventory);
  await this.expectMet('backup', await probeBackupWhole(bucket, this.recall(theBackup)));
});

Then('its manifest was written last', async function (this: SandboxWorld) {
  const bucket = connectBackupBucket(this.target.inventory);
  await this.expectMet('order', await probeManifestLast(bucket, this.recall(theBackup)));
});

Then('no more than eight backups of {backup} are kept', async function (this: SandboxWorld, what: BackupKind) {
  await this.expectMet('retention', [await probeRetention(connectBackupBucket(this.target.inventory), what)]);
});

Then('the bucket has every block of the kept ones, and no other', async function (this: SandboxWorld) {
  const bucket = connectBackupBucket(this.target.inventory);
  // The storage removes blocks by itself, some moments after their backup.
  const probe = async () => firstTrouble(judgeKept(await volumeContents(bucket), backupsKept));
  await eventually('the bucket has the blocks of the kept backups and no other', probe, 'sync');
});

When('it is restored into an empty Postgres', async function (this: SandboxWorld) {
  const servers = await emptyServers(this);
  const bucket = connectBackupBucket(this.target.inventory);
  this.remember(thePostgres, await restorePostgres(servers, bucket, this.recall(theBackup)));
});

Then('every database of it has the content of its backup', async function (this: SandboxWorld) {
  await this.expectMet('contents', await probeContents(this.recall(theServers), this.recall(thePostgres)));
});

Then('production’s ERP has as many rows there as where it was dumped', async function (this: SandboxWorld) {
  const { postgres } = connectSystems(this.target.inventory);
  await this.expectMet('rows', await probeSameRows(postgres, this.recall(thePostgres), 'erp'));
});

When('it is restored into an empty etcd', async function (this: SandboxWorld) {
  const servers = await emptyServers(this);
  const bucket = connectBackupBucket(this.target.inventory);
  this.remember(theEtcd, await RestoredEtcd.begin(servers, bucket, this.recall(theBackup)));
});

Then('it holds every namespace and every Application of the cluster', async function (this: SandboxWorld) {
  const { kubernetes, argocd } = connectSystems(this.target.inventory);
  const etcd = this.recall(theEtcd);
  const applications = (await argocd.applications()).map(({ metadata }) => metadata.name);
  await this.expectMet('objects', [
    await etcd.probeHolds('namespaces', '/registry/namespaces/', await kubernetes.namespaces()),
    await etcd.probeHolds('Applications', `/registry/argoproj.io/applications/${argocdNamespace}/`, applications),
  ]);
});

When('it is restored into an empty Vault', async function (this: SandboxWorld) {
  const servers = await emptyServers(this);
  const bucket = connectBackupBucket(this.target.inventory);
  this.remember(theVault, await restoreVault(servers, bucket, this.recall(theBackup)));
});

Then(
  'the key shares open it, and it holds every instance’s configuration and policies',
  async function (this: SandboxWorld) {
    const { vault } = connectSystems(this.target.inventory);
    await this.expectMet('restored Vault', await probeSameVault(vault, this.recall(theVault), instanceNamespaces()));
  },
);
