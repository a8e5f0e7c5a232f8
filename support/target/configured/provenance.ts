import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { z } from 'zod';
import { reason } from '../../failure';
import { connectGitea } from '../../gitea/client';
import type { Inventory } from '../../inventory';
import { connectKubernetes } from '../../kubernetes/client';
import { connectPostgres } from '../../postgres/client';
import type { Part } from '../target';
import { judgeImage, type Mirrors } from './image';

/** A component that runs in the cluster: how it is recognised, and where its project publishes it. */
interface InCluster {
  name: string;
  /** A kind it adds to the API; without one its pods alone tell. */
  kind?: string;
  /** Where its main pods run, and the container of interest. */
  namespace: string;
  pods: RegExp;
  official: readonly string[];
}

const inCluster: readonly InCluster[] = [
  {
    name: 'longhorn',
    kind: 'volumes.longhorn.io',
    namespace: 'longhorn-system',
    pods: /^longhorn-manager-/,
    official: ['docker.io/longhornio/longhorn-manager'],
  },
  {
    name: 'secrets-operator',
    kind: 'vaultstaticsecrets.secrets.hashicorp.com',
    namespace: 'vault-secrets-operator-system',
    pods: /controller-manager/,
    official: ['docker.io/hashicorp/vault-secrets-operator'],
  },
  {
    name: 'cert-manager',
    kind: 'certificates.cert-manager.io',
    namespace: 'cert-manager',
    pods: /^cert-manager-[0-9a-f]+-/,
    official: ['quay.io/jetstack/cert-manager-controller'],
  },
  {
    name: 'argocd',
    kind: 'applications.argoproj.io',
    namespace: 'argocd',
    pods: /^argocd-server-/,
    official: ['quay.io/argoproj/argocd'],
  },
  { name: 'vault', namespace: 'vault', pods: /^vault-\d+$/, official: ['docker.io/hashicorp/vault'] },
];

/** k3s says so in its version (`v1.34.3+k3s1`) and in its container runtime's; plain Kubernetes only takes its place. */
export function kubernetesPart(gitVersion: string, nodes: readonly V1Node[]): Part {
  const runtimes = [...new Set(nodes.map(({ status }) => status?.nodeInfo?.containerRuntimeVersion ?? 'unknown'))];
  const suffix = /\+(k3s\d+|rke2r\d+)$/.exec(gitVersion)?.[1];
  if (suffix === undefined) {
    const basis = `GET /version says ${gitVersion}, without the +k3s of a k3s build`;
    return { name: 'kubernetes', role: 'k3s', version: gitVersion, provenance: 'substitute', basis };
  }
  const kubelets = [...new Set(nodes.map(({ status }) => status?.nodeInfo?.kubeletVersion ?? 'unknown'))];
  const agreed = kubelets.length === 1 && kubelets[0] === gitVersion;
  const own = suffix.startsWith('k3s') && agreed && runtimes.every((runtime) => /-k3s\d+$/.test(runtime));
  return {
    name: suffix.startsWith('k3s') ? 'k3s' : 'rke2',
    ...(suffix.startsWith('k3s') ? {} : { role: 'k3s' }),
    version: gitVersion,
    provenance: own ? 'upstream' : suffix.startsWith('k3s') ? 'unknown' : 'substitute',
    basis: `GET /version says ${gitVersion}, kubelets ${kubelets.join(', ')}, container runtime ${runtimes.join(', ')}`,
  };
}

/** What carries the nodes, as they say it themselves. */
export function machinesPart(nodes: readonly V1Node[]): Part {
  const seen = nodes.map(
    ({ status }) => `${status?.nodeInfo?.kernelVersion ?? '?'} ${status?.nodeInfo?.architecture ?? '?'}`,
  );
  return {
    name: 'machines',
    role: 'the Raspberry Pis pi1 to pi3',
    version: [...new Set(seen)].join(', ') || 'unknown',
    provenance: 'unknown',
    basis: 'nodes say kernel and architecture, not what carries them',
  };
}

/** The pods a component runs as, wherever its kind is known or its pods are there. Stand-ins of this project say so themselves. */
export function clusterParts(kinds: readonly string[], pods: readonly V1Pod[], mirrors: Mirrors): Part[] {
  return inCluster.flatMap(({ name, kind, namespace, pods: named, official }): Part[] => {
    const own = pods.filter(({ metadata }) => metadata?.namespace === namespace && named.test(metadata.name ?? ''));
    const container =
      own[0]?.spec?.containers.find(({ image }) => official.some((one) => image?.includes(tail(one)))) ??
      own[0]?.spec?.containers[0];
    if (container?.image === undefined) {
      if (kind === undefined || !kinds.includes(kind)) return [];
      return [
        { name, version: 'unknown', provenance: 'unknown', basis: `kind ${kind} is there, but no pod in ${namespace}` },
      ];
    }
    const label = own[0]?.metadata?.labels?.[provenanceLabel] ?? own[0]?.metadata?.annotations?.[provenanceLabel];
    const proof = judgeImage(container.image, official, mirrors);
    if (label === 'stand-in') {
      return [
        {
          name,
          version: proof.version,
          provenance: 'stand-in',
          basis: `its pod is labelled ${provenanceLabel}=stand-in`,
        },
      ];
    }
    if (kind !== undefined && !kinds.includes(kind)) {
      return [
        { name, ...proof, provenance: 'unknown', basis: `${container.image} runs, but its kind ${kind} is missing` },
      ];
    }
    return [{ name, ...proof }];
  });
}

/** A stand-in that runs as a pod bears this label or annotation with the value `stand-in`. */
export const provenanceLabel = 'sandbox.arcodange.lab/provenance';

function tail(official: string): string {
  return official.slice(official.lastIndexOf('/') + 1);
}

/** Every part of the target that can be seen, each with what proves it. A part that cannot be asked is left out with a line why. */
export async function detectParts(inventory: Inventory, mirrors: () => Promise<Mirrors>): Promise<Part[]> {
  const kubernetes = connectKubernetes();
  const [version, nodes, kinds, pods, seen] = await Promise.all([
    kubernetes.version(),
    kubernetes.nodes(),
    kubernetes.customKinds(),
    kubernetes.pods(),
    mirrors(),
  ]);
  return [
    machinesPart(nodes),
    kubernetesPart(version, nodes),
    ...clusterParts(kinds, pods, seen),
    await asked('postgres', () => postgresPart(inventory)),
    await asked('gitea', async () => ({
      name: 'gitea',
      version: await connectGitea(inventory).version(),
      provenance: 'unknown',
      basis: 'its API says the version; an answer does not prove the build',
    })),
  ];
}

const versionRow = z.object({ version: z.string() });

/** Postgres names its version, its packager and the compiler that built it. */
async function postgresPart(inventory: Inventory): Promise<Part> {
  const [row] = await connectPostgres(inventory).rows('postgres', 'select version()', [], versionRow);
  const said = row?.version ?? '';
  const version = /^PostgreSQL (\S+)/.exec(said)?.[1];
  const proven = version !== undefined && /compiled by /.test(said);
  return {
    name: 'postgres',
    version: version ?? 'unknown',
    provenance: proven ? 'upstream' : 'unknown',
    basis: `select version(): ${said}`,
  };
}

async function asked(name: string, ask: () => Promise<Part>): Promise<Part> {
  try {
    return await ask();
  } catch (thrown) {
    return { name, version: 'unknown', provenance: 'unknown', basis: `it could not be asked: ${reason(thrown)}` };
  }
}
