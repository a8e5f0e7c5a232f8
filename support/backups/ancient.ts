import { createHash } from 'node:crypto';
import { z } from 'zod';
import { eventually } from '../eventually';
import type { Finding } from '../finding';
import { readInventory } from '../inventory';
import { connectKubernetes, type KubernetesClient } from '../kubernetes/client';
import {
  askForSync,
  backups,
  documentsVolume,
  findDocumentsVolume,
  lastSynced,
  longhornNamespace,
} from '../storage/client';
import type { Target } from '../target';
import { defineUndo } from '../undo';
import { backupKinds, makeBackup, type BackupKind, type BackupManifest } from './backups';
import { connectBackupBucket, type BucketClient } from './client';
import { blockName, manifestName, newestOf, removeVolumeFolder, type VolumeManifest } from './volumes';

/** Times of old backups, older than any real one, so that those are kept. */
const ancient = Array.from({ length: 10 }, (_, second) => `1970-01-01T00:00:0${second}Z`);

/**
 * Puts ten backups of 1970 into the bucket: empty ones, and of volumes the newest of the app documents over again, each with
 * one block more that no other has.
 */
export async function putAncientBackups(target: Target, what: BackupKind): Promise<void> {
  const bucket = connectBackupBucket(target.inventory);
  if (what === 'volumes') await putAncientVolumes(target, bucket);
  for (const taken of ancient) {
    const manifest: BackupManifest = { what, taken, objects: {} };
    await bucket.put(`${what}/${taken}/manifest.json`, Buffer.from(JSON.stringify(manifest)));
  }
}

/** Takes what is left of them away, also in the next run when this one died. */
export const ancientGone = defineUndo({
  name: 'ancient-backups-gone',
  args: z.object({ what: z.enum(backupKinds) }),
  needs: ['depot'],
  run: async ({ what }) => {
    const bucket = connectBackupBucket(readInventory());
    for (const taken of ancient) await bucket.delete(`${what}/${taken}/manifest.json`);
    if (what === 'volumes') await removeAncientVolumes(bucket);
  },
});

const nameOf = (index: number): string => `backup-19700101000000${index}0`;
const ownBlock = (index: number): Buffer => Buffer.from(`a block of ${ancient[index]}\n`.repeat(200));
const sumOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

async function putAncientVolumes(target: Target, bucket: BucketClient): Promise<void> {
  const kubernetes = connectKubernetes();
  const volume = await documentsVolume(kubernetes);
  await makeBackup(target, 'volumes');
  const newest = await newestOf(bucket, volume);
  for (const [index, taken] of ancient.entries()) {
    const block = ownBlock(index);
    await bucket.put(blockName(volume, sumOf(block)), block);
    const old: VolumeManifest = {
      ...newest,
      Name: nameOf(index),
      SnapshotCreatedAt: taken,
      Blocks: [...newest.Blocks, { Offset: 0, BlockChecksum: sumOf(block) }],
    };
    await bucket.put(manifestName(old), Buffer.from(JSON.stringify(old)));
  }
  await synced(kubernetes);
}

/** Waits until the storage knows what lies in the bucket. */
async function synced(kubernetes: KubernetesClient): Promise<void> {
  const asked = await askForSync(kubernetes);
  const probe = async (): Promise<Finding> => {
    const seen = (await lastSynced(kubernetes)) ?? 'never';
    return {
      subject: 'last look of the storage into its backup target',
      status: seen >= asked && seen !== 'never' ? 'met' : 'unmet',
      expected: `not before ${asked}`,
      actual: seen,
      source: 'status of the BackupTarget default',
    };
  };
  await eventually('the storage has looked into its backup target', probe, 'sync');
}

async function removeAncientVolumes(bucket: BucketClient): Promise<void> {
  const kubernetes = connectKubernetes();
  const volume = await findDocumentsVolume(kubernetes);
  for (const index of ancient.keys()) {
    if (volume !== undefined) {
      await bucket.delete(manifestName({ VolumeName: volume, Name: nameOf(index) }));
      await bucket.delete(blockName(volume, sumOf(ownBlock(index))));
    }
    await kubernetes.deleteResource(backups, longhornNamespace, nameOf(index));
  }
}

/** The copy of a backup that nothing shares is gone, also in the next run when this one died. */
export const copyGone = defineUndo({
  name: 'copy-of-backup-gone',
  args: z.object({ volume: z.string().regex(/^copy-[a-z0-9]+$/) }),
  needs: ['depot'],
  run: ({ volume }) => removeVolumeFolder(connectBackupBucket(readInventory()), volume),
});
