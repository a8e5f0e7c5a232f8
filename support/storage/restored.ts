import { z } from 'zod';
import type { BucketClient } from '../backups/client';
import { backupUrl, type VolumeManifest } from '../backups/volumes';
import { eventually } from '../eventually';
import { compare, type Finding } from '../finding';
import { connectKubernetes, type KubernetesClient } from '../kubernetes/client';
import { isReady } from '../kubernetes/probes';
import { selectTarget } from '../target';
import { defineUndo } from '../undo';
import { documents, readTree, type Tree } from './client';
import { createVolume, deleteVolume, removeReplicaFolders } from './faults';
import { folderPod } from './folder-pod';

/** How volumes beside the live one are called: their claim and pod as well. */
export const besideName = /^beside-[a-z0-9]+$/;

/** Nothing is left of a volume beside the live one, also in the next run when this one died. */
export const besideGone = defineUndo({
  name: 'volume-beside-gone',
  args: z.object({ volume: z.string().regex(besideName) }),
  needs: ['storage'],
  run: async ({ volume }) => {
    const kubernetes = connectKubernetes();
    await kubernetes.deletePod(documents.namespace, volume);
    await eventually(`pod ${volume} is gone`, () => probePodGone(kubernetes, volume), 'deletion');
    await kubernetes.deleteClaim(documents.namespace, volume);
    await kubernetes.deletePersistentVolume(volume);
    await deleteVolume(kubernetes, volume);
    await removeReplicaFolders(selectTarget(), volume);
  },
});

/** Makes a volume from a backup, beside the live one. */
export function createBeside(
  kubernetes: KubernetesClient,
  bucket: BucketClient,
  manifest: VolumeManifest,
  volume: string,
): Promise<void> {
  const fromBackup = backupUrl(bucket, manifest);
  return createVolume(kubernetes, volume, { size: manifest.VolumeSize, numberOfReplicas: 3, fromBackup });
}

/** Every file of a volume beside the live one. @throws AwaitTimeout when its pod does not get it. */
export async function readBeside(kubernetes: KubernetesClient, volume: string, size: string): Promise<Tree> {
  await mountBeside(kubernetes, volume, size);
  await eventually(`pod ${volume} is ready`, () => probeBesideReady(kubernetes, volume), 'rollout');
  return readTree(kubernetes, volume);
}

/** Gives a volume to a pod of its own that serves what is in it, under the volume's name. Does not wait for the pod. */
export async function mountBeside(kubernetes: KubernetesClient, volume: string, size: string): Promise<void> {
  const common = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  await kubernetes.createPersistentVolume({
    metadata: { name: volume },
    spec: {
      ...common,
      capacity: { storage: size },
      persistentVolumeReclaimPolicy: 'Retain',
      csi: { driver: 'driver.longhorn.io', volumeHandle: volume, fsType: 'ext4' },
    },
  });
  await kubernetes.createClaim(documents.namespace, {
    metadata: { name: volume },
    spec: { ...common, volumeName: volume, resources: { requests: { storage: size } } },
  });
  await kubernetes.createPod(documents.namespace, folderPod({ name: volume, claimName: volume, readOnly: false }));
}

/** Whether the pod of a volume beside the live one is ready. */
export async function probeBesideReady(kubernetes: KubernetesClient, volume: string): Promise<Finding> {
  const [pod] = await kubernetes.pods(documents.namespace, `app.kubernetes.io/name=${volume}`);
  const seen = isReady(pod) ? 'ready' : (pod?.status?.phase ?? 'not there');
  return compare(`pod ${volume}`, 'ready', seen, `pods of ${documents.namespace}`);
}

/** Whether a pod was told why it cannot have its volume: with these words, by the storage. */
export async function probeBesideRefused(kubernetes: KubernetesClient, volume: string, why: string): Promise<Finding> {
  const ready = await probeBesideReady(kubernetes, volume);
  const about = (await kubernetes.events(documents.namespace)).filter(
    ({ involvedObject, reason }) => involvedObject.name === volume && reason === 'FailedMount',
  );
  const said = about.map(({ message }) => message ?? '').find((message) => message.includes(why));
  return {
    subject: `pod ${volume}`,
    status: said === undefined || ready.status === 'met' ? 'unmet' : 'met',
    expected: `no volume, and why: ${why}`,
    actual: ready.status === 'met' ? 'ready' : (said ?? about.at(-1)?.message ?? 'nothing was said yet'),
    source: `events of ${documents.namespace}`,
    final: ready.status === 'met',
  };
}

async function probePodGone(kubernetes: KubernetesClient, name: string): Promise<Finding> {
  const left = await kubernetes.pods(documents.namespace, `app.kubernetes.io/name=${name}`);
  return compare(`pod ${name}`, 'gone', left.length === 0 ? 'gone' : 'there', `pods of ${documents.namespace}`);
}
