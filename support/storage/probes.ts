import { compare, type Finding } from '../finding';
import type { KubernetesClient } from '../kubernetes/client';
import type { Target } from '../target';
import { contentOf, documentsVolume, fileHash, hashOf, imageOf } from './client';
import { readReplicas, readVolume, type Replica } from './client';

/** Whether a volume is attached and every replica of it is in use. */
export async function probeVolumeHealthy(kubernetes: KubernetesClient, name: string): Promise<Finding> {
  const volume = await readVolume(kubernetes, name);
  const { state = 'no state', robustness = 'unknown' } = volume?.status ?? {};
  const actual = volume === undefined ? 'no such volume' : `${state}, ${robustness}`;
  const troubled = (await readReplicas(kubernetes, name)).filter(({ status }) => status?.message);
  const hint = troubled.map(({ spec, status }) => `${spec.nodeID}: ${status?.message}`).join('; ');
  const found = compare(`volume ${name}`, 'attached, healthy', actual, 'status of the Volume');
  return hint === '' ? found : { ...found, hint };
}

/** Whether what an app wrote lies in a replica's file on its machine. */
export async function probeOnDisk(target: Target, replica: Replica, marker: string): Promise<Finding> {
  const file = imageOf(replica);
  const command = ['grep', '-caF', marker, file];
  const answer = await target.onMachine(replica.spec.nodeID, command, { allowFailure: true });
  const found = Number(answer.stdout.trim()) > 0;
  return {
    subject: `replica on ${replica.spec.nodeID}`,
    status: found ? 'met' : 'unmet',
    expected: 'the content in its file',
    actual: found ? 'the content in its file' : answer.stderr.trim() || 'not there',
    source: `ssh ${replica.spec.nodeID} ${command.join(' ')}`,
  };
}

/** Whether the replicas on these machines were noticed to be corrupt since a time (ISO 8601). */
export async function probeNoticed(
  kubernetes: KubernetesClient,
  volume: string,
  machines: readonly string[],
  since: string,
): Promise<Finding> {
  const late = (await readReplicas(kubernetes, volume)).filter(
    ({ spec }) => machines.includes(spec.nodeID) && !(Date.parse(spec.lastFailedAt) >= Date.parse(since)),
  );
  return {
    subject: `replicas of ${volume} on ${machines.join(', ')}`,
    status: late.length === 0 ? 'met' : 'unmet',
    expected: `failed since ${since}`,
    actual: late.length === 0 ? 'failed since then' : late.map(({ spec }) => `${spec.nodeID}: not`).join(', '),
    source: 'lastFailedAt of the Replicas',
  };
}

/** Whether an app's file and its volume came through: nothing to see where no app keeps files on a volume. */
export async function probeKept(kubernetes: KubernetesClient, file: string | undefined): Promise<Finding[]> {
  if (file === undefined) return [];
  const volume = await probeVolumeHealthy(kubernetes, await documentsVolume(kubernetes));
  return [volume, await probeFile(kubernetes, file, hashOf(contentOf(file)))];
}

/** Whether the app serves a file with the content it was given. */
export async function probeFile(kubernetes: KubernetesClient, name: string, hash: string): Promise<Finding> {
  const seen = (await fileHash(kubernetes, name)) ?? 'no such file';
  return compare(`file ${name}`, hash, seen, `SHA-256 of GET /files/${name} of the app documents`);
}
