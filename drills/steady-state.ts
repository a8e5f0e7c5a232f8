import { judgeHealthy, judgeReconciled, judgeSynced } from '../support/argocd/probes';
import { probeServing } from '../support/canary/links/runtime';
import { readFactoryApps } from '../support/factory/repositories';
import { compare, type Finding } from '../support/finding';
import { reason } from '../support/failure';
import { clusterMachines } from '../support/inventory';
import {
  judgeDeploymentsComplete,
  judgeNodeReady,
  judgeNodeTakesPods,
  probeNothingStuck,
} from '../support/kubernetes/probes';
import { namesOf } from '../support/naming';
import { probeUnsealed } from '../support/vault/probes';
import type { DrillContext } from './definition';

/**
 * What must hold before a drill begins and when it has ended: every node Ready and open to pods, Vault unsealed, every
 * Application Synced, Healthy and reconciled, every Deployment complete, no pod stuck, every instance serving with a
 * database round trip. A look that fails is a finding `unknown`.
 */
export async function probeSteadyState({ systems, target }: DrillContext): Promise<Finding[]> {
  const { kubernetes, argocd, vault } = systems;
  const looks: [string, () => Promise<Finding[]>][] = [
    [
      'nodes',
      async () => {
        const nodes = await kubernetes.nodes();
        return clusterMachines(target.inventory).flatMap(({ name }) => [
          judgeNodeReady(nodes, name),
          judgeNodeTakesPods(nodes, name),
        ]);
      },
    ],
    ['Vault', async () => [await probeUnsealed(vault)]],
    [
      'Applications',
      async () =>
        (await argocd.applications()).flatMap((one) => [
          judgeSynced(one.metadata.name, one),
          judgeHealthy(one.metadata.name, one),
          judgeReconciled(one.metadata.name, one),
        ]),
    ],
    ['Deployments', async () => [judgeDeploymentsComplete(await kubernetes.deployments())]],
    ['pods', async () => [await probeNothingStuck(kubernetes)]],
    ...instances().map((instance): [string, () => Promise<Finding[]>] => [
      `round trip of ${instance.instance}`,
      () => probeServing(kubernetes, instance),
    ]),
  ];
  return (
    await Promise.all(looks.map(([subject, look]) => look().catch((thrown: unknown) => [unseen(subject, thrown)])))
  ).flat();
}

function instances(): ReturnType<typeof namesOf>[] {
  return readFactoryApps().flatMap(({ name, envs }) => envs.map((env) => namesOf(name, env)));
}

function unseen(subject: string, thrown: unknown): Finding {
  return { ...compare(subject, 'as ever', reason(thrown), 'the look itself'), status: 'unknown' };
}
