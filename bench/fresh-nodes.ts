import type { V1Node } from '@kubernetes/client-node';
import type { Finding } from '../support/finding';

/**
 * Judges whether so many nodes are Ready by a heartbeat of their own since a moment. `Ready` alone is not enough: after a
 * power cut the API server still has what the kubelet said before.
 * @param since milliseconds since 1970; heartbeats have whole seconds, rounded down, so that none is taken for younger.
 */
export function freshlyReady(nodes: readonly V1Node[], count: number, since: number): Finding {
  const ready = nodes.filter((node) => {
    const condition = node.status?.conditions?.find(({ type }) => type === 'Ready');
    const heartbeat = condition?.lastHeartbeatTime;
    return condition?.status === 'True' && heartbeat !== undefined && new Date(heartbeat).getTime() > since;
  });
  const names = ready.map((node) => node.metadata?.name ?? '').join(', ');
  return {
    subject: 'nodes',
    status: ready.length >= count ? 'met' : 'unmet',
    expected: `${count} Ready since the power-on`,
    actual: names === '' ? 'none' : names,
    source: 'GET nodes, status.conditions',
  };
}
