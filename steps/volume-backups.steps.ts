import { Then, When } from '@cucumber/cucumber';
import { copyGone } from '../support/backups/ancient';
import { connectBackupBucket } from '../support/backups/client';
import { changeBlock, copyBackup, newestOf, type VolumeManifest } from '../support/backups/volumes';
import { eventually } from '../support/eventually';
import { connectKubernetes } from '../support/kubernetes/client';
import { documentsVolume, readTree } from '../support/storage/client';
import { judgeSameFiles, probeRefused, probeRestored } from '../support/storage/probes';
import { besideGone, createBeside, mountBeside, probeBesideRefused, readBeside } from '../support/storage/restored';
import { Fact, type SandboxWorld } from '../support/world';

const theManifest = new Fact<VolumeManifest>("the backup's manifest");
const theBlock = new Fact<string>('the checksum of the changed block');
const theVolume = new Fact<string>('the volume beside the live one');

/** Makes a volume from a backup, beside the live one and gone with the scenario. */
async function beside(world: SandboxWorld, manifest: VolumeManifest): Promise<string> {
  const volume = world.remember(theVolume, `beside-${Date.now().toString(36)}`);
  world.undo('nothing is left of the volume beside the live one', besideGone({ volume }));
  await createBeside(connectKubernetes(), connectBackupBucket(world.target.inventory), manifest, volume);
  return volume;
}

When('the volume of the app "documents" is restored beside the live one', async function (this: SandboxWorld) {
  const kubernetes = connectKubernetes();
  const bucket = connectBackupBucket(this.target.inventory);
  const manifest = this.remember(theManifest, await newestOf(bucket, await documentsVolume(kubernetes)));
  const volume = await beside(this, manifest);
  await eventually(`volume ${volume} is restored`, () => probeRestored(kubernetes, volume), 'sync');
});

Then('it holds the same files as the live one', async function (this: SandboxWorld) {
  const kubernetes = connectKubernetes();
  const restored = await readBeside(kubernetes, this.recall(theVolume), this.recall(theManifest).VolumeSize);
  await this.expectMet('files', [judgeSameFiles(await readTree(kubernetes), restored)]);
});

When('a copy of that of the app "documents" has a block changed in the bucket', async function (this: SandboxWorld) {
  const bucket = connectBackupBucket(this.target.inventory);
  const volume = `copy-${Date.now().toString(36)}`;
  this.undo('the copy is gone', copyGone({ volume }));
  const original = await newestOf(bucket, await documentsVolume(connectKubernetes()));
  const copy = this.remember(theManifest, await copyBackup(bucket, original, volume));
  this.remember(theBlock, await changeBlock(bucket, copy));
});

When('a volume is made from the copy', async function (this: SandboxWorld) {
  await beside(this, this.recall(theManifest));
});

Then('the storage refuses it and says which block', async function (this: SandboxWorld) {
  const [kubernetes, volume] = [connectKubernetes(), this.recall(theVolume)];
  const probe = () => probeRefused(kubernetes, volume, this.recall(theBlock));
  await eventually(`the restore of ${volume} is refused`, probe, 'sync');
});

Then('no pod gets that volume', async function (this: SandboxWorld) {
  const [kubernetes, volume] = [connectKubernetes(), this.recall(theVolume)];
  await mountBeside(kubernetes, volume, this.recall(theManifest).VolumeSize);
  const probe = () => probeBesideRefused(kubernetes, volume, 'is not restored from its backup');
  await eventually(`the pod ${volume} is refused its volume`, probe, 'sync');
});
