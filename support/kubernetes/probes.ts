import { Resolver } from 'node:dns/promises';
import type { V1Deployment, V1Node, V1Pod } from '@kubernetes/client-node';
import type { Finding } from '../finding';
import type { Machine } from '../inventory';
import type { Target } from '../target';
import type { KubernetesClient } from './client';

/** Whether a node is Ready, judged from a list of the nodes. */
export function judgeNodeReady(nodes: readonly V1Node[], name: string): Finding {
  const node = nodes.find((one) => one.metadata?.name === name);
  const ready = node?.status?.conditions?.find((condition) => condition.type === 'Ready');
  const actual =
    node === undefined ? 'not registered' : ready?.status === 'True' ? 'Ready' : `not Ready: ${ready?.message ?? ''}`;
  return {
    subject: `node ${name}`,
    status: actual === 'Ready' ? 'met' : 'unmet',
    expected: 'Ready',
    actual,
    source: 'GET nodes',
  };
}

/** Whether a node takes pods: not cordoned, and no taint that keeps them away or sends them off. */
export function judgeNodeTakesPods(nodes: readonly V1Node[], name: string): Finding {
  const spec = nodes.find((one) => one.metadata?.name === name)?.spec;
  const taints = (spec?.taints ?? []).filter(({ effect }) => effect !== 'PreferNoSchedule').map(({ key }) => key);
  const against = [...(spec?.unschedulable === true ? ['cordoned'] : []), ...taints];
  return {
    subject: `pods on node ${name}`,
    status: spec !== undefined && against.length === 0 ? 'met' : 'unmet',
    expected: 'taken',
    actual: spec === undefined ? 'no such node' : against.length === 0 ? 'taken' : `kept away: ${against.join(', ')}`,
    source: 'GET nodes',
    hint: `look who keeps them away: \`kubectl describe node ${name}\`.`,
  };
}

/** Whether a pod's own readiness probe has passed, as Kubernetes last heard. */
export function isReady(pod: V1Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** Whether at least one pod of the namespace runs and none is stuck. An image that does not exist is definite. */
export async function probePodRunning(kubernetes: KubernetesClient, namespace: string): Promise<Finding> {
  return judgePods(namespace, await kubernetes.pods(namespace));
}

/** Judges what was read, without reading. */
export function judgePods(namespace: string, pods: readonly V1Pod[]): Finding {
  const finding = { subject: `pod of ${namespace}`, expected: 'Running', source: `pods of ${namespace}` };
  const alive = pods.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
  const stuck = alive.flatMap((pod) => waiting(pod)).find(({ reason }) => imageReasons.includes(reason));
  if (stuck !== undefined) {
    return {
      ...finding,
      status: 'unmet',
      actual: `${stuck.reason}: ${stuck.message}`,
      // A registry that does not answer may answer later; one that says "not found" has decided.
      final:
        stuck.reason === 'InvalidImageName' ||
        /not found|manifest unknown|repository does not exist/i.test(stuck.message),
      hint: `no such image ${stuck.image}: its repository or tag in the chart's values, or it was never pushed`,
    };
  }
  const running = alive.find((pod) => pod.status?.phase === 'Running');
  if (running !== undefined) {
    const node = running.spec?.nodeName ?? 'no node';
    return { ...finding, status: 'met', actual: `${running.metadata?.name ?? ''} Running on ${node}` };
  }
  const first = alive[0];
  const reason =
    first === undefined ? 'no pod yet' : [first.status?.phase, ...waiting(first).map((one) => one.reason)].join(', ');
  const unplaced = first?.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  const hint = unplaced?.message === undefined ? {} : { hint: `no node takes the pod: ${unplaced.message}` };
  return { ...finding, status: 'unmet', actual: reason, ...hint };
}

const imageReasons = ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName'];

function waiting(pod: V1Pod): { reason: string; message: string; image: string }[] {
  return (pod.status?.containerStatuses ?? []).flatMap((status) =>
    status.state?.waiting === undefined
      ? []
      : [
          {
            reason: status.state.waiting.reason ?? '',
            message: status.state.waiting.message ?? '',
            image: status.image,
          },
        ],
  );
}

/** Whether a pod of the cluster's DNS runs on each machine, with an address of that machine's range, and answers. */
export async function probeClusterDns(
  kubernetes: KubernetesClient,
  machines: readonly Machine[],
  serviceCidr: string,
): Promise<Finding[]> {
  const pods = await kubernetes.pods('kube-system', 'k8s-app=kube-dns');
  return Promise.all(
    machines.map(async ({ name }) => {
      const address = pods.find((pod) => pod.spec?.nodeName === name)?.status?.podIP;
      const question = 'kubernetes.default.svc.cluster.local';
      const finding = {
        subject: `cluster DNS on ${name}`,
        // The API server takes the range's first address for itself.
        expected: serviceCidr.replace(/0\/.*$/, '1'),
        source: `${question} asked of ${address}`,
      };
      if (address === undefined) return { ...finding, status: 'unmet' as const, actual: 'no pod with an address' };
      const resolver = new Resolver({ timeout: 2_000, tries: 2 });
      resolver.setServers([address]);
      const answer = (await resolver.resolve4(question)).join(', ');
      return {
        ...finding,
        status: answer === finding.expected ? ('met' as const) : ('unmet' as const),
        actual: answer,
      };
    }),
  );
}

/** How long a pod may take to go when its node is alive, in milliseconds: the longest grace period of the apps, twice. */
const leavingMs = 30_000;

/** Whether no pod of the cluster is being deleted for longer than deleting takes. */
export async function probeNothingStuck(kubernetes: KubernetesClient): Promise<Finding> {
  const leaving = (await kubernetes.pods()).filter(({ metadata }) => metadata?.deletionTimestamp !== undefined);
  const stuck = leaving.filter(
    ({ metadata }) => Date.now() - (metadata?.deletionTimestamp?.getTime() ?? 0) > leavingMs,
  );
  const named = stuck.map(({ metadata, spec }) => `${metadata?.namespace}/${metadata?.name} on ${spec?.nodeName}`);
  return {
    subject: 'pods stuck Terminating',
    status: stuck.length === 0 ? 'met' : 'unmet',
    expected: 'none',
    actual: named.join(', ') || 'none',
    source: 'GET pods of all namespaces',
    hint: 'the node they ran on is gone or its kubelet does not answer',
  };
}

/**
 * Whether every Deployment has the pods it should have, by a status that is of the Deployment as it is now: right after a change
 * Kubernetes still shows the one from before it, and so does Argo CD's health.
 */
export function judgeDeploymentsComplete(deployments: readonly V1Deployment[]): Finding {
  const short = deployments.flatMap(({ metadata, spec, status }) => {
    const wanted = spec?.replicas ?? 1;
    const available = status?.availableReplicas ?? 0;
    const isSeen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
    if (isSeen && available >= wanted) return [];
    return `${metadata?.namespace}/${metadata?.name} ${isSeen ? `${available} of ${wanted}` : 'changed just now'}`;
  });
  return {
    subject: 'pods of every Deployment',
    status: deployments.length > 0 && short.length === 0 ? 'met' : 'unmet',
    expected: 'available',
    actual: deployments.length === 0 ? 'no Deployment' : short.join(', ') || 'available',
    source: 'GET deployments of all namespaces',
    hint: 'look why a pod is not ready: `kubectl -n NAMESPACE describe pods`.',
  };
}

/** ssh's own exit code: nothing was asked on the machine. */
const sshFailed = 255;

/** Whether etcd on its machine says of itself that it serves. */
export async function probeEtcdServes(target: Target, machine: string): Promise<Finding> {
  const command = ['curl', '-s', '-m', '5', 'http://127.0.0.1:2379/health'];
  const { stdout, exitCode } = await target.onMachine(machine, command, { allowFailure: true });
  const serves = exitCode === 0 && stdout.includes('"health":"true"');
  const unreached = exitCode === sshFailed;
  return {
    subject: `etcd on ${machine}`,
    status: serves ? 'met' : unreached ? 'unknown' : 'unmet',
    expected: 'serving',
    actual: serves
      ? 'serving'
      : unreached
        ? `ssh did not reach ${machine}`
        : stdout.trim() || `no answer (curl: exit code ${exitCode})`,
    source: `ssh ${machine} ${command.join(' ')}`,
    hint: `look at its log: npm run lab -- logs ${machine} etcd`,
  };
}
