import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import { registerFailureContext, type ContextPiece } from '../evidence/failure-context';
import { reason } from '../failure';
import { connectKubernetes, type KubernetesClient } from './client';

/** Lines of a log, and events of a namespace, that help and do not drown. */
const enough = 30;

registerFailureContext({
  name: 'Kubernetes',
  needs: ['kubernetes'],
  collect: async () => {
    const kubernetes = connectKubernetes();
    const pods = await kubernetes.pods();
    const ill = pods.filter((pod) => !isWell(pod));
    const namespaces = (await kubernetes.namespaces()).filter((name) => !name.startsWith('kube-'));
    const events = await Promise.all(namespaces.map(async (name) => warnings(name, await kubernetes.events(name))));
    const logs = await Promise.all(ill.slice(0, 5).map((pod) => logOf(kubernetes, pod)));
    return [{ title: 'pods', text: pods.map(podLine).join('\n') }, ...events.flat(), ...logs];
  },
});

function isWell(pod: V1Pod): boolean {
  const statuses = pod.status?.containerStatuses ?? [];
  return pod.status?.phase === 'Succeeded' || (statuses.length > 0 && statuses.every((status) => status.ready));
}

function podLine(pod: V1Pod): string {
  const statuses = pod.status?.containerStatuses ?? [];
  const ready = `${statuses.filter((status) => status.ready).length}/${statuses.length}`;
  const restarts = statuses.reduce((sum, status) => sum + status.restartCount, 0);
  const waiting = statuses.flatMap((status) => status.state?.waiting?.reason ?? []).join(', ');
  const name = `${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''}`;
  const where = pod.spec?.nodeName ?? 'no node';
  return `${name} ${pod.status?.phase ?? ''} ${ready} ready, ${restarts} restarts, ${where} ${waiting}`.trim();
}

function warnings(namespace: string, events: readonly CoreV1Event[]): ContextPiece[] {
  const lines = events
    .filter((event) => event.type === 'Warning')
    .slice(-enough)
    .map((event) => {
      const object = `${event.involvedObject.kind ?? ''}/${event.involvedObject.name ?? ''}`;
      return `${object} ${event.reason ?? ''}: ${event.message ?? ''}`;
    });
  return lines.length === 0 ? [] : [{ title: `warnings in ${namespace}`, text: lines.join('\n') }];
}

async function logOf(kubernetes: KubernetesClient, pod: V1Pod): Promise<ContextPiece> {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const text = await kubernetes.log(namespace, name, enough).catch((thrown: unknown) => reason(thrown));
  return { title: `log of ${namespace}/${name}`, text };
}
