import { eventually } from '../eventually';
import { stoppedService, type Fault, type FaultContext } from '../fault';
import { compare, type Finding } from '../finding';
import { clusterMachines } from '../inventory';
import type { KubernetesClient } from '../kubernetes/client';
import type { Target } from '../target';
import { documents, documentsVolume, longhornNamespace, readReplicas, readVolume } from './client';
import { settings, volumes, type VolumeSize } from './client';
import { probeVolumeHealthy } from './probes';

/** Overwrites bytes of a file on a machine, at the first place where `marker` stands in it, behind the storage's back. */
export async function flipBytes(target: Target, machine: string, file: string, marker: string): Promise<void> {
  const script = [
    'set -e',
    `at=$(grep -aobF -m1 ${marker} ${file} | head -1 | cut -d: -f1)`,
    'test -n "$at"',
    `printf '\\377\\000\\377\\000' | dd of=${file} bs=1 seek="$at" conv=notrunc status=none`,
  ].join('; ');
  await target.onMachine(machine, [script]);
}

/** Scales the app that uses the volume, and waits until the volume is let go of when it is scaled to nothing. */
export async function scaleDocuments(kubernetes: KubernetesClient, replicas: number): Promise<void> {
  await kubernetes.scaleDeployment(documents.namespace, documents.deployment, replicas);
  if (replicas > 0) return;
  const volume = await documentsVolume(kubernetes);
  await eventually(
    `volume ${volume} is detached`,
    async () => {
      const state = (await readVolume(kubernetes, volume))?.status?.state ?? 'detached';
      return compare(`volume ${volume}`, 'detached', state, 'status of the Volume');
    },
    'rollout',
  );
}

/** Deletes a detached volume's resources. What lies on the machines' disks stays there. */
export async function deleteVolume(kubernetes: KubernetesClient, name: string): Promise<void> {
  await kubernetes.deleteResource(volumes, longhornNamespace, name);
  await eventually(
    `volume ${name} is gone`,
    async () => {
      const [left, replicas] = await Promise.all([readVolume(kubernetes, name), readReplicas(kubernetes, name)]);
      const gone = left === undefined && replicas.length === 0;
      return compare(`volume ${name}`, 'gone', gone ? 'gone' : `there, ${replicas.length} replicas`, 'GET volume');
    },
    'deletion',
  );
}

/** Removes every replica of a volume from the machines' disks, also what was set aside there. */
export async function removeReplicaFolders(target: Target, volume: string): Promise<void> {
  if (!/^[a-z0-9][a-z0-9.-]+$/.test(volume)) throw new Error(`${volume} is no name of a volume`);
  const folders = ['replicas', 'set-aside'].map((folder) => `/data/longhorn/${folder}/${volume}-*`).join(' ');
  for (const { name } of clusterMachines(target.inventory)) await target.onMachine(name, [`rm -rf ${folders}`]);
}

/**
 * Makes a volume unless it is there. Under the name of one that was, it gets a new engine, new replicas and new folders.
 * @param size with `fromBackup`, the URL of a backup, it is to be filled from that.
 */
export async function createVolume(
  kubernetes: KubernetesClient,
  name: string,
  { size, numberOfReplicas, fromBackup }: VolumeSize & { fromBackup?: string },
): Promise<void> {
  const filled = fromBackup === undefined ? {} : { fromBackup };
  if ((await readVolume(kubernetes, name)) !== undefined) return;
  await kubernetes.createResource(volumes, longhornNamespace, {
    apiVersion: 'longhorn.io/v1beta2',
    kind: 'Volume',
    metadata: { name, namespace: longhornNamespace },
    spec: { size, numberOfReplicas, frontend: 'blockdev', ...filled },
  });
}

/** Changes one of Longhorn's settings. */
function setting(fault: string, breaks: string, name: string, broken: string, whole: string): Fault {
  const set = ({ systems }: FaultContext, value: string): Promise<void> =>
    systems.kubernetes.patchResource(settings, longhornNamespace, name, { value });
  return {
    name: fault,
    breaks,
    plant: (context) => set(context, broken),
    heal: async (context) => {
      await set(context, whole);
      await documentsHealthy(context);
    },
  };
}

/** Longer than the storage takes from one look at all replicas to the next, in milliseconds (scrubPeriod of agent.go: 10 s). */
const wholeLookMs = 15_000;

/** What went unnoticed or was left as it was is noticed and mended: the next fault must not be blamed for it. */
async function documentsHealthy({ systems: { kubernetes } }: FaultContext): Promise<void> {
  const volume = await documentsVolume(kubernetes);
  let since: number | undefined;
  const probe = async (): Promise<Finding> => {
    const found = await probeVolumeHealthy(kubernetes, volume);
    since = found.status === 'met' ? (since ?? performance.now()) : undefined;
    if (since === undefined || performance.now() - since >= wholeLookMs) return found;
    return { ...found, status: 'unmet', actual: `${found.actual}, but not looked at since` };
  };
  await eventually(`volume ${volume} is whole again`, probe, 'sync');
}

const unverified = setting(
  'storage-checksums-off',
  'The storage does not verify its replicas.',
  'snapshot-data-integrity',
  'disabled',
  'enabled',
);
/** A backup reads what has changed, and would find the damage in the storage's stead. */
const noBackups = stoppedService(
  'no backups of volumes',
  'No backup of a volume begins.',
  'k3s_server',
  'backup-volumes',
);

/** Replicas are not verified at rest. */
export const damageUnnoticed: Fault = {
  ...unverified,
  plant: async (context) => {
    await noBackups.plant(context);
    await unverified.plant(context);
  },
  heal: async (context) => {
    await noBackups.heal(context);
    await unverified.heal(context);
  },
};

/** Replicas that are out of use stay so. */
export const nothingRebuilt = setting(
  'storage-rebuild-off',
  'The storage rebuilds no replica.',
  'concurrent-replica-rebuild-per-node-limit',
  '0',
  '5',
);

/** A machine on which the volume is not attached: its storage can stop without taking the app with it. */
async function elsewhere({ target, systems }: FaultContext): Promise<string> {
  const volume = await readVolume(systems.kubernetes, await documentsVolume(systems.kubernetes));
  const machines = clusterMachines(target.inventory).map(({ name }) => name);
  return machines.findLast((name) => name !== volume?.status?.currentNodeID) ?? '';
}

/** A machine's replicas are out of reach. */
export const storageStopped: Fault = {
  name: 'storage-stopped',
  breaks: 'The storage of one machine is stopped.',
  plant: async (context) => {
    const { kubernetes } = context.systems;
    await context.target.onMachine(await elsewhere(context), ['sv', '-w', '30', 'down', '/etc/lab-service/longhorn']);
    const volume = await documentsVolume(kubernetes);
    // Until the next look at its replicas the volume says what it said.
    await eventually(
      'the missing replica is noticed',
      async () => {
        const seen = (await readVolume(kubernetes, volume))?.status?.robustness ?? 'unknown';
        return compare(`volume ${volume}`, 'degraded', seen, 'status of the Volume');
      },
      'sync',
    );
  },
  heal: async (context) => {
    for (const { name } of clusterMachines(context.target.inventory)) {
      await context.target.onMachine(name, ['sv', '-w', '30', 'up', '/etc/lab-service/longhorn']);
    }
    await documentsHealthy(context);
  },
};
