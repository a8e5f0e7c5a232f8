import type { V1Pod, V1Service } from '@kubernetes/client-node';
import type { Machine } from '../inventory';

/** Where an endpoint's server runs, seen from the machines and the cluster. */
export interface PlacementFacts {
  /** The endpoint as clients use it. */
  host: string;
  port: number;
  machines: readonly Machine[];
  pods: readonly V1Pod[];
  services: readonly V1Service[];
}

/**
 * "outside the cluster" when the endpoint's address is a machine's own and nothing in the cluster serves that port
 * there: no pod on the host's network, no host port, no node port, no external address of a Service.
 */
export function placement({ host, port, machines, pods, services }: PlacementFacts): string {
  const service = services.find((candidate) => servedBy(candidate, host, port));
  if (service) return `inside the cluster, Service ${named(service.metadata)}`;
  const pod = pods.find((candidate) => listens(candidate, host, port));
  if (pod) return `inside the cluster, Pod ${named(pod.metadata)}`;
  if (!machines.some((machine) => machine.address === host)) return `unknown: ${host} is no machine's address`;
  return 'outside the cluster';
}

function servedBy(service: V1Service, host: string, port: number): boolean {
  const spec = service.spec ?? {};
  const addresses = [
    ...(spec.clusterIPs ?? [spec.clusterIP]),
    ...(spec.externalIPs ?? []),
    ...(service.status?.loadBalancer?.ingress ?? []).map((ingress) => ingress.ip),
  ];
  if (addresses.includes(host)) return true;
  // A node port answers on every machine's address.
  return (spec.ports ?? []).some((served) => served.nodePort === port);
}

function listens(pod: V1Pod, host: string, port: number): boolean {
  if (pod.status?.phase !== 'Running') return false;
  if (!pod.spec?.hostNetwork && pod.status.podIP === host) return true;
  const onHost = pod.status.hostIP === host;
  const ports = pod.spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  return (
    onHost &&
    ports.some((own) => own.hostPort === port || (pod.spec?.hostNetwork === true && own.containerPort === port))
  );
}

function named(metadata: { namespace?: string; name?: string } | undefined): string {
  return `${metadata?.namespace ?? '?'}/${metadata?.name ?? '?'}`;
}
