import axios from 'axios';
import { z } from 'zod';
import { compare, type Finding } from '../../finding';
import type { KubernetesClient } from '../../kubernetes/client';
import { probePodRunning } from '../../kubernetes/probes';
import type { InstanceNames } from '../../naming';
import { probeMountedKeys, probeVaultSecrets } from '../../vault/secrets-operator';
import type { Link } from '../link';

/** The secrets operator has logged in, leased and written what the pod mounts. */
export const secretLink: Link = {
  name: 'secret',
  title: 'Secrets injected by the secrets operator',
  budget: 'sync',
  check: async ({ systems, names }) => [
    ...(await probeVaultSecrets(systems.kubernetes, names.instance)),
    ...(await probeMountedKeys(systems.kubernetes, names.instance)),
  ],
};

/** The pod runs. */
export const podLink: Link = {
  name: 'pod',
  title: 'Pod Running',
  budget: 'rollout',
  check: async ({ systems, names }) => [await probePodRunning(systems.kubernetes, names.instance)],
};

/** The instance answers through its Service and does a database round trip with the leased user. */
export const servingLink: Link = {
  name: 'serving',
  title: 'Serving a database round trip',
  budget: 'rollout',
  check: ({ systems, names }) => probeServing(systems.kubernetes, names),
};

/** What the stand-in web app says of itself at /healthz. */
const health = z.object({
  status: z.string(),
  instance: z.string(),
  database_user: z.string().optional(),
  acting_as: z.string().optional(),
  latency_ms: z.number().optional(),
  link: z.string().optional(),
  reason: z.string().optional(),
});

/** Whether an instance answers through its Service, with a database round trip as the leased user. */
export async function probeServing(
  kubernetes: KubernetesClient,
  names: Pick<InstanceNames, 'instance' | 'ownerRole'>,
): Promise<Finding[]> {
  const [pods, services, secret] = await Promise.all([
    kubernetes.pods(names.instance),
    kubernetes.services(names.instance),
    kubernetes.secret(names.instance, `${names.instance}-database`),
  ]);
  const service = services.find((one) => one.spec?.clusterIP !== undefined)?.spec;
  const pod = pods.find((one) => one.status?.podIP !== undefined && one.metadata?.deletionTimestamp === undefined);
  const port = pod?.spec?.containers[0]?.ports?.[0]?.containerPort;
  if (pod?.status?.podIP === undefined || port === undefined || service?.clusterIP === undefined) {
    return [
      {
        subject: `serving of ${names.instance}`,
        status: 'unmet',
        expected: 'a pod and a Service',
        actual: 'not there yet',
        source: `pods and services of ${names.instance}`,
      },
    ];
  }
  // The pod itself is asked for the reason: behind the Service an instance that is not ready does not answer at all.
  const own = await ask(`http://${pod.status.podIP}:${port}/healthz`);
  if (own.status !== 'ok') return [failed(names.instance, own)];
  const served = await ask(`http://${service.clusterIP}:${service.ports?.[0]?.port ?? 80}/healthz`);
  const source = 'GET /healthz through the Service';
  const user = secret?.['username'] ?? 'no such Secret';
  return [
    compare(`round trip of ${names.instance}`, 'ok', served.status, source),
    compare('database user', user, served.database_user ?? 'none', source, 'the pod still uses an older lease'),
    compare('acting as', names.ownerRole, served.acting_as ?? 'none', source),
  ];
}

async function ask(url: string): Promise<z.infer<typeof health>> {
  const answer = await axios.get<unknown>(url, {
    timeout: 5_000,
    proxy: false,
    maxRedirects: 0,
    validateStatus: () => true,
  });
  return health.parse(answer.data);
}

function failed(instance: string, answer: z.infer<typeof health>): Finding {
  const reason = `${answer.link ?? 'query'}: ${answer.reason ?? 'no reason given'}`;
  return {
    subject: `round trip of ${instance}`,
    status: 'unmet',
    expected: 'ok',
    actual: reason,
    source: 'GET /healthz of the pod',
    hint: reason,
  };
}
