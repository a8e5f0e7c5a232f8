import { argocdNamespace, skipReconcile, type ArgoCdClient } from './argocd/client';
import type { Finding } from './finding';
import type { KubernetesClient } from './kubernetes/client';

/** Namespaces of the ERP's instances (seed 003: `erp`, and its sandbox). */
const erpNamespaces = ['erp', 'erp-sandbox'];

/** Whether the ERP's pods became ready after those of every other app: the order of a recovery from nothing (seed 002). */
export async function probeErpLast(kubernetes: KubernetesClient): Promise<Finding> {
  const [platform, pods] = [['kube-system'], await kubernetes.pods()];
  const alive = pods.filter(
    ({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase === 'Running',
  );
  const begun = (own: boolean): Date[] =>
    alive
      .filter(({ metadata }) => erpNamespaces.includes(metadata?.namespace ?? '') === own)
      .filter(({ metadata }) => !platform.includes(metadata?.namespace ?? ''))
      .flatMap(({ status }) =>
        (status?.containerStatuses ?? []).flatMap(({ state }) => state?.running?.startedAt ?? []),
      );
  const first = earliest(begun(true));
  const lastOther = latest(begun(false));
  const ordered = first !== undefined && lastOther !== undefined && first >= lastOther;
  return {
    subject: 'ERP scaled up last',
    status: ordered ? 'met' : 'unmet',
    expected: 'its containers began after those of all others',
    actual: `ERP from ${first?.toISOString() ?? 'never'}, the others until ${lastOther?.toISOString() ?? 'never'}`,
    source: `containers of all namespaces and of ${argocdNamespace}`,
  };
}

/** Lets Argo CD take care of the ERP again. */
export async function resumeErp(argocd: ArgoCdClient): Promise<void> {
  for (const name of erpNamespaces) {
    if ((await argocd.application(name)) === undefined) continue;
    await argocd.patch(name, { metadata: { annotations: { [skipReconcile]: null } } });
    await argocd.refresh(name);
  }
}

function earliest(dates: readonly Date[]): Date | undefined {
  return [...dates].sort((one, other) => one.getTime() - other.getTime())[0];
}

function latest(dates: readonly Date[]): Date | undefined {
  return [...dates].sort((one, other) => other.getTime() - one.getTime())[0];
}
