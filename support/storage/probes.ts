import { compare, type Finding } from '../finding';
import type { KubernetesClient } from '../kubernetes/client';
import type { Target } from '../target';
import { contentOf, documentsVolume, fileHash, hashOf, imageOf } from './client';
import { readReplicas, readVolume, type Replica, type Tree } from './client';

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

/** Whether a volume that was made from a backup holds it. One whose backup was refused never will. */
export async function probeRestored(kubernetes: KubernetesClient, name: string): Promise<Finding> {
  const { status } = (await readVolume(kubernetes, name)) ?? {};
  const done = status?.restoreInitiated === true && status.restoreRequired !== true;
  const said = status?.conditions?.find(({ type }) => type === 'Restore');
  const actual = done ? 'restored' : `${said?.reason ?? 'not begun'}: ${said?.message ?? ''}`;
  const found = compare(`volume ${name}`, 'restored', actual, 'status of the Volume');
  return said?.reason === 'RestoreFailure' ? { ...found, final: true } : found;
}

/** Whether the storage refused to restore a volume and says why, such as with a block's checksum. */
export async function probeRefused(kubernetes: KubernetesClient, name: string, why: string): Promise<Finding> {
  const { actual, status } = await probeRestored(kubernetes, name);
  return {
    subject: `volume ${name}`,
    status: actual.startsWith('RestoreFailure') && actual.includes(why) ? 'met' : 'unmet',
    expected: `RestoreFailure, with ${why}`,
    actual,
    source: 'status of the Volume',
    final: status === 'met',
  };
}

/** Whether two volumes hold the same files, and any at all. */
export function judgeSameFiles(live: Tree, restored: Tree): Finding {
  const lines = (tree: Tree): Set<string> => new Set(tree.map((one) => `${one.path} ${one.bytes} ${one.sha256}`));
  const [wanted, seen] = [lines(live), lines(restored)];
  const lacks = [...wanted].filter((line) => !seen.has(line)).map((line) => `lacks ${line}`);
  const besides = [...seen].filter((line) => !wanted.has(line)).map((line) => `has besides ${line}`);
  const other = [...lacks, ...besides];
  return {
    subject: 'files of the restored volume',
    status: other.length === 0 && wanted.size > 0 ? 'met' : 'unmet',
    expected: `the ${wanted.size} files of the live one`,
    actual: other.length === 0 ? `the same ${seen.size}` : `${other.length} others: ${other.slice(0, 3).join('; ')}`,
    source: 'GET /tree of both',
  };
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
