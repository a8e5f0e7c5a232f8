import type { V1Pod } from '@kubernetes/client-node';
import { skipReconcile, type ArgoCdClient } from './argocd/client';
import { production, sandbox } from './erp/instances';
import type { Finding } from './finding';
import type { KubernetesClient } from './kubernetes/client';

/** Namespaces of the ERP's instances (seed 003: `erp`, and its sandbox). */
const erpNamespaces: readonly string[] = [production.instance, sandbox.instance];
/** What may begin whenever it likes. */
const platform = ['kube-system'];

/** Whether the ERP was scaled up after every other app ran: the order of a recovery from nothing (seed 002). */
export async function probeErpLast(kubernetes: KubernetesClient): Promise<Finding> {
  return judgeErpLast(await kubernetes.pods());
}

/**
 * The same, of these pods. A pod is made when its app is scaled up; one that was never scaled down has its containers started
 * again after a power cut, late perhaps and by chance last, but is as old as before.
 */
export function judgeErpLast(pods: readonly V1Pod[]): Finding {
  const alive = pods.filter(
    ({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase === 'Running',
  );
  const isErp = ({ metadata }: V1Pod): boolean => erpNamespaces.includes(metadata?.namespace ?? '');
  const made = alive.filter(isErp).flatMap(({ metadata }) => metadata?.creationTimestamp ?? []);
  const begun = alive
    .filter((pod) => !isErp(pod) && !platform.includes(pod.metadata?.namespace ?? ''))
    .flatMap(({ status }) => (status?.containerStatuses ?? []).flatMap(({ state }) => state?.running?.startedAt ?? []));
  const first = earliest(made);
  const lastOther = latest(begun);
  const ordered = first !== undefined && lastOther !== undefined && first >= lastOther;
  return {
    subject: 'ERP scaled up last',
    status: ordered ? 'met' : 'unmet',
    expected: 'its pods made after the containers of all others began',
    actual: `ERP from ${first?.toISOString() ?? 'never'}, the others until ${lastOther?.toISOString() ?? 'never'}`,
    source: 'pods of all namespaces',
  };
}

/** Lets Argo CD take care of the ERP again. */
export async function resumeErp(argocd: ArgoCdClient): Promise<void> {
  for (const name of erpNamespaces) {
    if ((await argocd.application(name)) === undefined) continue;
    await argocd.patch(name, { metadata: { annotations: { [skipReconcile]: null } } });
    await argocd.sync(name);
    await argocd.refresh(name);
  }
}

function earliest(dates: readonly Date[]): Date | undefined {
  return [...dates].sort((one, other) => one.getTime() - other.getTime())[0];
}

function latest(dates: readonly Date[]): Date | undefined {
  return [...dates].sort((one, other) => other.getTime() - one.getTime())[0];
}
