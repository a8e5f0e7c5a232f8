import type { V1Pod } from '@kubernetes/client-node';
import { eventually } from '../../eventually';
import { compare, type Finding } from '../../finding';
import { shielded } from '../../interruption';
import type { KubernetesClient } from '../../kubernetes/client';
import { isReady } from '../../kubernetes/probes';
import type { InstanceNames } from '../../naming';
import { folderPod, folderPort } from '../../storage/folder-pod';
import { assertSandboxUrl } from '../guard';
import { production, sandbox } from '../instances';
import { Folder, SandboxFolder } from './folder';

/** A pod that has an instance's `documents/` mounted, for the time of a look or a copy. */
export type Carrier = 'documents-reader' | 'documents-writer';

/**
 * The pod. A reader's volume is mounted read-only by the kernel, whatever runs in it.
 * @throws RefusedByBoundary for a writer of any instance but the sandbox (ADR-0003: host guard).
 * @param node the machine the volume is attached to, if it is: a volume is on one machine at a time.
 */
export function carrierPod(names: InstanceNames, carrier: Carrier, node: string | undefined): V1Pod {
  const readOnly = carrier === 'documents-reader';
  if (!readOnly) assertSandboxUrl(`http://${names.host}/`);
  return folderPod({ name: carrier, claimName: `${names.instance}-documents`, readOnly, node });
}

/** Reads an instance's documents, next to its ERP, which goes on serving. @throws AwaitTimeout when the volume cannot be had. */
export function readDocuments<T>(
  kubernetes: KubernetesClient,
  names: InstanceNames,
  work: (folder: Folder) => Promise<T>,
): Promise<T> {
  return carried(kubernetes, names, 'documents-reader', (address) => work(new Folder(names, address)));
}

/**
 * Writes the sandbox's documents. There is no such function for another instance.
 * @throws AwaitTimeout when the volume cannot be had.
 */
export function writeSandboxDocuments<T>(
  kubernetes: KubernetesClient,
  work: (folder: SandboxFolder) => Promise<T>,
): Promise<T> {
  return carried(kubernetes, sandbox, 'documents-writer', (address) => work(new SandboxFolder(sandbox, address)));
}

/** Takes carriers away that a reset left that was killed. */
export async function removeCarriers(kubernetes: KubernetesClient): Promise<void> {
  for (const names of [production, sandbox]) {
    for (const carrier of ['documents-reader', 'documents-writer'] as const) await remove(kubernetes, names, carrier);
  }
}

async function carried<T>(
  kubernetes: KubernetesClient,
  names: InstanceNames,
  carrier: Carrier,
  work: (address: string) => Promise<T>,
): Promise<T> {
  await remove(kubernetes, names, carrier);
  const node = await attachedTo(kubernetes, names);
  try {
    await kubernetes.createPod(names.instance, carrierPod(names, carrier, node));
    return await work(`http://${await readyAt(kubernetes, names, carrier)}:${folderPort}`);
  } finally {
    // The ERP may be started on another machine: it needs the volume.
    await shielded(() => remove(kubernetes, names, carrier));
  }
}

/** The machine on which a pod of the instance uses its documents. */
async function attachedTo(kubernetes: KubernetesClient, names: InstanceNames): Promise<string | undefined> {
  const pods = await kubernetes.pods(names.instance);
  const user = pods.find(
    ({ spec, status }) =>
      status?.phase === 'Running' &&
      spec?.volumes?.some((one) => one.persistentVolumeClaim?.claimName === `${names.instance}-documents`),
  );
  return user?.spec?.nodeName;
}

async function readyAt(kubernetes: KubernetesClient, names: InstanceNames, carrier: Carrier): Promise<string> {
  let address = '';
  const ready = async (): Promise<Finding> => {
    const pod = await find(kubernetes, names, carrier);
    address = pod?.status?.podIP ?? '';
    return {
      ...compare(
        `pod ${carrier}`,
        'ready',
        isReady(pod) ? 'ready' : (pod?.status?.phase ?? 'not there'),
        names.instance,
      ),
      final: pod?.status?.phase === 'Failed',
      hint: `look why: \`npm run lab -- kubectl -n ${names.instance} describe pod ${carrier}\`; then run the same command again.`,
    };
  };
  await eventually(`the documents of ${names.instance} can be read`, ready, 'rollout', { longestPauseMs: 250 });
  return address;
}

async function find(kubernetes: KubernetesClient, names: InstanceNames, carrier: Carrier): Promise<V1Pod | undefined> {
  return (await kubernetes.pods(names.instance, `app.kubernetes.io/name=${carrier}`))[0];
}

async function remove(kubernetes: KubernetesClient, names: InstanceNames, carrier: Carrier): Promise<void> {
  if ((await find(kubernetes, names, carrier)) === undefined) return;
  await kubernetes.deletePod(names.instance, carrier);
  const gone = async (): Promise<Finding> => {
    const pod = await find(kubernetes, names, carrier);
    return compare(`pod ${carrier}`, 'gone', pod === undefined ? 'gone' : 'there', `pods of ${names.instance}`);
  };
  await eventually(`${carrier} of ${names.instance} is gone`, gone, 'deletion', { longestPauseMs: 250 });
}
