import { readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { readClusterAccess, type ClusterAccess } from '../../configuration/inventory';
import type { ReadConfiguration } from '../../configuration/read';
import { OperatorError } from '../../failure';
import { compare, type Finding } from '../../finding';
import type { Inventory } from '../../inventory';
import { judge, productionAddresses, RefusedByBoundary, refusalExitCode, type Verdict } from '../../isolation';
import { commandOf } from './power';
import type { KubernetesClient } from '../../kubernetes/client';

/** A word of its own in a name that production could bear. `sandbox` in the same name speaks against it. */
const productionWord = /(^|[^a-z])(prod|production|live|arcodange)([^a-z]|$)/i;

/** True when a context, cluster or user of a kubeconfig bears a name that production could have. */
export function namedLikeProduction({
  context,
  cluster,
  user,
}: Pick<ClusterAccess, 'context' | 'cluster' | 'user'>): string | undefined {
  return [context, cluster, user].find((name) => productionWord.test(name) && !/sandbox/i.test(name));
}

/**
 * Holds a configuration to the isolation boundary before anything is sent anywhere: its networks, every address, the
 * documents it points to and the commands that would be run.
 * @throws RefusedByBoundary or OperatorError (exit code 3) with the reason.
 */
export function assertInsideBoundary(read: ReadConfiguration, inventory: Inventory): void {
  const { configuration, file } = read;
  for (const network of [configuration.network.machines, configuration.network.pods, configuration.network.services]) {
    const [address = '', bits = ''] = network.split('/');
    const list = new BlockList();
    list.addSubnet(address, Number(bits), 'ipv4');
    const inside = productionAddresses.find((one) => list.check(one, 'ipv4'));
    if (inside !== undefined) {
      throw refusal(
        file,
        `network ${network}`,
        `it holds ${inside}, a production machine`,
        'give the sandbox a network of its own, not that of production.',
      );
    }
  }
  const { kubeconfig, context, cluster_uid: uid } = configuration.kubernetes;
  const verdicts: Verdict[] = [
    judge({ kubeconfig: readFileSync(kubeconfig, 'utf8'), name: kubeconfig }),
    judge({ inventory: readFileSync(configuration.inventory, 'utf8'), name: configuration.inventory }),
    judge({ inventory: readFileSync(inventory.file, 'utf8'), name: inventory.file }),
    ...powerCommands(read).map((args) => judge({ command: { file: args[0] ?? '', args: args.slice(1), env: {} } })),
  ];
  for (const verdict of verdicts) if (!verdict.allowed) throw new RefusedByBoundary(verdict, 'use the target with');
  const access = readClusterAccess(kubeconfig);
  if (access.context !== context) {
    throw refusal(
      file,
      `${kubeconfig} leads to context ${access.context}`,
      `kubernetes.context says ${context}`,
      `write a kubeconfig of its own: \`kubectl config view --minify --flatten --context=${context} > FILE\`.`,
    );
  }
  const name = namedLikeProduction(access);
  if (name !== undefined && uid === undefined) {
    throw refusal(
      file,
      `"${name}" in ${kubeconfig}`,
      'production could bear that name, and a name is all there is',
      'rename it, or prove the cluster: set kubernetes.cluster_uid to what `kubectl get namespace kube-system -o jsonpath={.metadata.uid}` prints for the sandbox.',
    );
  }
}

function powerCommands({ configuration }: ReadConfiguration): string[][] {
  if (configuration.target !== 'vms' || configuration.power === undefined) return [];
  const { on, off, cut } = configuration.power;
  return [on, off, cut].flatMap((command) => (command === undefined ? [] : [commandOf(command, 'MACHINE')]));
}

function refusal(where: string, seen: string, why: string, next: string): OperatorError {
  return new OperatorError({
    attempted: 'use the target',
    where,
    seen: `${seen}: ${why}`,
    next,
    exitCode: refusalExitCode,
  });
}

/**
 * Looks behind the address: a tunnel on this machine, or an address that was given away anew, may lead to another cluster
 * than the configuration says. Every node's own address must be the target's.
 */
export async function probeCluster(read: ReadConfiguration, kubernetes: KubernetesClient): Promise<Finding[]> {
  const nodes = await kubernetes.nodes();
  const own = nodes.flatMap((node) =>
    (node.status?.addresses ?? [])
      .filter(({ type }) => /IP$/.test(type))
      .map(({ address }): Finding => {
        const verdict = judge(address);
        return {
          subject: `address of node ${node.metadata?.name ?? '?'}`,
          status: verdict.allowed ? 'met' : 'unmet',
          expected: "the target's own",
          actual: verdict.allowed ? address : `${address}: ${verdict.reason}`,
          source: 'GET nodes',
          ...(verdict.allowed
            ? {}
            : { final: true, hint: 'the kubeconfig leads to another cluster than this configuration describes' }),
        };
      }),
  );
  const uid = read.configuration.kubernetes.cluster_uid;
  return uid === undefined
    ? own
    : [
        ...own,
        { ...compare('cluster', uid, await kubernetes.identity(), 'uid of namespace kube-system'), final: true },
      ];
}

/** @throws OperatorError (exit code 3) for the first finding about the cluster that is not met. */
export function assertOwnCluster(read: ReadConfiguration, findings: readonly Finding[]): void {
  const bad = findings.find(({ status }) => status !== 'met');
  if (bad === undefined && findings.length > 0) return;
  if (bad === undefined) {
    throw refusal(
      read.file,
      'no node with an address',
      'nothing tells whose cluster it is',
      'add a node to the cluster.',
    );
  }
  throw refusal(
    read.file,
    `${bad.subject}, ${bad.actual}`,
    `expected ${bad.expected}`,
    'check kubernetes.kubeconfig: it may lead to another cluster through a tunnel.',
  );
}
