import type { Fault, FaultContext } from '../fault';
import type { Target } from '../target';

/** Secrets are no longer leased, renewed or injected. */
export const secretsOperatorDown = scaled(
  'secrets-operator-down',
  'The secrets operator has no replica.',
  'vault-secrets-operator-system',
  'vault-secrets-operator-controller-manager',
);

/** Argo CD cannot render anything. */
export const repoServerDown = scaled(
  'repo-server-down',
  'Argo CD’s repository server has no replica.',
  'argocd',
  'argocd-repo-server',
);

/** No new pod finds a node. */
export const nodesCordoned: Fault = {
  name: 'nodes-cordoned',
  breaks: 'No node accepts new pods.',
  plant: (context) => schedulable(context, false),
  heal: (context) => schedulable(context, true),
};

async function schedulable({ systems }: FaultContext, accept: boolean): Promise<void> {
  for (const node of await systems.kubernetes.nodes()) {
    const name = node.metadata?.name;
    if (name !== undefined) await systems.kubernetes.setSchedulable(name, accept);
  }
}

function scaled(name: string, breaks: string, namespace: string, deployment: string): Fault {
  const scale =
    (replicas: number) =>
    ({ systems }: FaultContext): Promise<void> =>
      systems.kubernetes.scaleDeployment(namespace, deployment, replicas);
  return { name, breaks, plant: scale(0), heal: scale(1) };
}

/** Damages etcd for good: stopped, the first MiB of its database overwritten with zeros, started again. */
export async function overwriteEtcd(target: Target, machine: string): Promise<void> {
  const script = [
    'set -e',
    'sv -w 30 down /etc/lab-service/etcd',
    'dd if=/dev/zero of=/data/etcd/member/snap/db bs=1M count=1 conv=notrunc status=none',
    'sv up /etc/lab-service/etcd',
  ].join('; ');
  await target.onMachine(machine, [script]);
}
