import { z } from 'zod';
import type { KubernetesClient } from './client';

const kind = { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses' };
const backend = z.object({ service: z.object({ name: z.string() }) });
const shape = z.object({
  spec: z.object({
    rules: z.array(
      z.object({ host: z.string(), http: z.object({ paths: z.array(z.object({ backend })) }).optional() }),
    ),
  }),
});

/** A name that an Ingress serves, and the Services behind it. */
export interface ServedHost {
  host: string;
  services: string[];
}

/** Every name that the Ingresses of a namespace serve. */
export async function servedHosts(kubernetes: KubernetesClient, namespace: string): Promise<ServedHost[]> {
  return (await kubernetes.resources(kind, namespace, shape)).flatMap(({ spec }) =>
    spec.rules.map(({ host, http }) => ({
      host,
      services: (http?.paths ?? []).map((path) => path.backend.service.name),
    })),
  );
}
