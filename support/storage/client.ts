import { createHash } from 'node:crypto';
import axios from 'axios';
import { z } from 'zod';
import { OperatorError } from '../failure';
import { assertAllowed } from '../isolation';
import { isReady } from '../kubernetes/probes';
import type { KubernetesClient } from '../kubernetes/client';

/** Longhorn's namespace, and the app whose files lie on one of its volumes (role storage). */
export const longhornNamespace = 'longhorn-system';
export const documents = { namespace: 'documents', deployment: 'documents', claim: 'documents', port: 8080 };

/** The claim of Vault's data (role vault: the StatefulSet's template). */
const vaultData = { namespace: 'vault', claim: 'data-vault-0' };

const kind = (plural: string) => ({ group: 'longhorn.io', version: 'v1beta2', plural });
export const volumes = kind('volumes');
export const settings = kind('settings');
export const backups = kind('backups');
const backupTargets = kind('backuptargets');
const replicas = kind('replicas');

const text = z.string().default('');
const conditionShape = z.object({ type: z.string(), status: text, reason: text, message: text });
const volumeShape = z.object({
  spec: z.object({ size: z.string(), numberOfReplicas: z.number() }),
  status: z
    .object({
      state: text,
      robustness: text,
      currentNodeID: text,
      restoreInitiated: z.boolean(),
      restoreRequired: z.boolean(),
      conditions: z.array(conditionShape),
    })
    .partial()
    .optional(),
});
const backupShape = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({ state: text, volumeName: text, snapshotCreatedAt: text, url: text }).partial().optional(),
});
const targetShape = z.object({ status: z.object({ lastSyncedAt: text }).partial().optional() });
const treeShape = z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() }));
const replicaShape = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    volumeName: z.string(),
    engineName: z.string(),
    nodeID: z.string(),
    diskPath: z.string(),
    dataDirectoryName: z.string(),
    lastFailedAt: text,
  }),
  status: z.object({ currentState: text, message: text }).partial().optional(),
});

/** A volume and a replica, as far as the suite reads them. */
export type Volume = z.infer<typeof volumeShape>;
export type Replica = z.infer<typeof replicaShape>;
export type Backup = z.infer<typeof backupShape>;
/** Every file of a volume: path, bytes, SHA-256. */
export type Tree = z.infer<typeof treeShape>;

/** The volume under the app's claim. @throws OperatorError when the claim is not bound. */
export function documentsVolume(kubernetes: KubernetesClient): Promise<string> {
  return volumeOf(kubernetes, documents);
}

/** The volume on which Vault's data lies. @throws OperatorError when its claim is not bound. */
export function vaultVolume(kubernetes: KubernetesClient): Promise<string> {
  return volumeOf(kubernetes, vaultData);
}

type Claim = Pick<typeof documents, 'namespace' | 'claim'>;

async function volumeOf(kubernetes: KubernetesClient, of: Claim): Promise<string> {
  const name = await findVolume(kubernetes, of);
  if (name !== undefined) return name;
  throw new OperatorError({
    attempted: `find the volume of the claim ${of.namespace}/${of.claim}`,
    expected: 'a PersistentVolume for it',
    seen: 'none',
    next: 'look at the service longhorn on pi1: npm run lab -- logs pi1 longhorn',
  });
}

/** The same, undefined where no such app is deployed. */
export function findDocumentsVolume(kubernetes: KubernetesClient): Promise<string | undefined> {
  return findVolume(kubernetes, documents);
}

/** The volume under a claim, undefined where there is none. */
async function findVolume(kubernetes: KubernetesClient, { namespace, claim }: Claim): Promise<string | undefined> {
  const [persistent] = (await kubernetes.persistentVolumes()).filter(
    ({ spec }) => spec?.claimRef?.namespace === namespace && spec.claimRef.name === claim,
  );
  return persistent?.spec?.csi?.volumeHandle;
}

/** Gives the app a file that must survive what comes. @returns its name; undefined where no such app is deployed. */
export async function keepFile(kubernetes: KubernetesClient): Promise<string | undefined> {
  if ((await findDocumentsVolume(kubernetes)) === undefined) return undefined;
  const file = `kept-${Date.now()}.txt`;
  await putFile(kubernetes, file, contentOf(file));
  return file;
}

export function readVolume(kubernetes: KubernetesClient, name: string): Promise<Volume | undefined> {
  return kubernetes.resource(volumes, longhornNamespace, name, volumeShape);
}

/** What a volume was made with: bytes, and how many replicas. */
export type VolumeSize = Pick<Volume['spec'], 'size' | 'numberOfReplicas'>;

/** How large a volume is. @throws OperatorError when there is no such volume. */
export async function sizeOf(kubernetes: KubernetesClient, name: string): Promise<VolumeSize> {
  const { size, numberOfReplicas } = (await readVolume(kubernetes, name))?.spec ?? noSuchVolume(name);
  return { size, numberOfReplicas };
}

function noSuchVolume(name: string): never {
  throw new OperatorError({
    attempted: `read volume ${name}`,
    expected: `volumes.longhorn.io ${longhornNamespace}/${name}`,
    seen: 'none',
    next: 'if it was deleted, follow "A volume has lost its replicas" in the runbook.',
  });
}

/** The replicas of a volume, one a machine. */
export async function readReplicas(kubernetes: KubernetesClient, volume: string): Promise<Replica[]> {
  const all = await kubernetes.resources(replicas, longhornNamespace, replicaShape);
  return all.filter(({ spec }) => spec.volumeName === volume);
}

/** Every Backup that the cluster knows. */
export function readBackups(kubernetes: KubernetesClient): Promise<Backup[]> {
  return kubernetes.resources(backups, longhornNamespace, backupShape);
}

/** Asks the storage to look into its backup target. @returns when, ISO 8601: its last look must not be older. */
export async function askForSync(kubernetes: KubernetesClient): Promise<string> {
  const syncRequestedAt = new Date().toISOString();
  await kubernetes.patchResource(backupTargets, longhornNamespace, 'default', { spec: { syncRequestedAt } });
  return syncRequestedAt;
}

/** When it last looked, ISO 8601; undefined when it never did. */
export async function lastSynced(kubernetes: KubernetesClient): Promise<string | undefined> {
  return (await kubernetes.resource(backupTargets, longhornNamespace, 'default', targetShape))?.status?.lastSyncedAt;
}

/** The file in which a replica's data lies, on its machine. */
export function imageOf({ spec }: Replica): string {
  return `${spec.diskPath}/replicas/${spec.dataDirectoryName}/volume-head-000.img`;
}

/** Writes a file through the app, which answers when it is on the volume. */
export async function putFile(kubernetes: KubernetesClient, name: string, content: Buffer): Promise<void> {
  await axios.put(await fileUrl(kubernetes, name), content, { timeout: 10_000, maxBodyLength: content.length });
}

/** SHA-256 of a file as the app serves it; undefined when the app has no such file. */
export async function fileHash(kubernetes: KubernetesClient, name: string): Promise<string | undefined> {
  const answer = await axios.get<ArrayBuffer>(await fileUrl(kubernetes, name), {
    responseType: 'arraybuffer',
    timeout: 10_000,
    validateStatus: (status) => status === 200 || status === 404,
  });
  return answer.status === 404 ? undefined : hashOf(Buffer.from(answer.data));
}

/** A file's content from its name, so that its hash is known without keeping it. About 180 KB. */
export function contentOf(file: string): Buffer {
  return Buffer.from(`${file} ${hashOf(Buffer.from(file))}\n`.repeat(2_000));
}

export function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Every file that a pod with this name serves from a volume. */
export async function readTree(kubernetes: KubernetesClient, pod: string = documents.deployment): Promise<Tree> {
  const answer = await axios.get<unknown>(`${await podUrl(kubernetes, pod)}/tree`, { timeout: 30_000 });
  return treeShape.parse(answer.data);
}

async function fileUrl(kubernetes: KubernetesClient, name: string): Promise<string> {
  return `${await podUrl(kubernetes, documents.deployment)}/files/${name}`;
}

async function podUrl(kubernetes: KubernetesClient, name: string): Promise<string> {
  const pods = await kubernetes.pods(documents.namespace, `app.kubernetes.io/name=${name}`);
  const ready = pods.find((pod) => pod.metadata?.deletionTimestamp === undefined && isReady(pod));
  const address = ready?.status?.podIP;
  if (address === undefined) throw new Error(`no pod ${name} in ${documents.namespace} is ready`);
  assertAllowed(address);
  return `http://${address}:${documents.port}`;
}
