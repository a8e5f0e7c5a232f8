import type { CoreV1Event } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Finding } from '../finding';
import type { KubernetesClient, ResourceKind } from '../kubernetes/client';

const kind = (plural: string): ResourceKind => ({ group: 'secrets.hashicorp.com', version: 'v1beta1', plural });
const metadata = z.object({ name: z.string(), uid: z.string(), generation: z.number().optional() });
const authShape = z.object({
  metadata,
  status: z.object({ valid: z.boolean().nullish(), error: z.string().optional() }).optional(),
});
const secretShape = z.object({
  metadata,
  spec: z.object({ mount: z.string(), path: z.string(), destination: z.object({ name: z.string() }) }),
  status: z
    .object({ lastGeneration: z.number().optional(), secretLease: z.object({ id: z.string() }).optional() })
    .optional(),
});
/** A VaultDynamicSecret or VaultStaticSecret with what the suite judges of it. */
export type VaultSecretResource = z.infer<typeof secretShape>;

/**
 * Vault's answers that a repetition does not change. Sealed (503), unreachable and "not found yet" resources are left
 * out: the operator tries again and may succeed.
 */
const definiteAnswer =
  /Code: 40[0-4]|permission denied|no handler for route|unsupported path|empty response from Vault/i;

/**
 * Whether the secrets operator has served every resource of a namespace: VaultAuth valid, VaultDynamicSecret leased,
 * VaultStaticSecret synced. The operator (v0.10) tells success by status and failure by events.
 */
export async function probeVaultSecrets(kubernetes: KubernetesClient, namespace: string): Promise<Finding[]> {
  const [auths, dynamics, statics, events] = await Promise.all([
    kubernetes.resources(kind('vaultauths'), namespace, authShape),
    kubernetes.resources(kind('vaultdynamicsecrets'), namespace, secretShape),
    kubernetes.resources(kind('vaultstaticsecrets'), namespace, secretShape),
    kubernetes.events(namespace),
  ]);
  if (auths.length + dynamics.length + statics.length === 0) {
    const source = `secrets.hashicorp.com resources of ${namespace}`;
    return [
      {
        subject: `secrets of ${namespace}`,
        status: 'unmet',
        expected: 'VaultAuth and Vault…Secret',
        actual: 'none yet',
        source,
      },
    ];
  }
  return [
    ...auths.map((auth) => judgeAuth(namespace, auth)),
    ...dynamics.map((secret) => judgeSecret('VaultDynamicSecret', namespace, secret, events)),
    ...statics.map((secret) => judgeSecret('VaultStaticSecret', namespace, secret, events)),
  ];
}

function judgeAuth(namespace: string, auth: z.infer<typeof authShape>): Finding {
  const valid = auth.status?.valid === true;
  return {
    subject: `VaultAuth ${auth.metadata.name}`,
    status: valid ? 'met' : 'unmet',
    expected: 'valid',
    actual: valid ? 'valid' : auth.status?.error || 'not judged yet',
    source: `vaultauths ${namespace}/${auth.metadata.name} .status`,
  };
}

/** Judges one secret resource by its status and the warnings the operator wrote after its last success. */
export function judgeSecret(
  kindName: string,
  namespace: string,
  secret: VaultSecretResource,
  events: readonly CoreV1Event[],
): Finding {
  const { name, uid, generation } = secret.metadata;
  const leased = kindName !== 'VaultDynamicSecret' || (secret.status?.secretLease?.id ?? '') !== '';
  const served = secret.status?.lastGeneration !== undefined && secret.status.lastGeneration === generation && leased;
  const from = `${secret.spec.mount}/${secret.spec.path}`;
  const finding = {
    subject: `${kindName} ${name}`,
    expected: `synced from ${from}`,
    source: `${kindName} ${namespace}/${name} .status and events`,
  };
  // One of the same name that was deleted may still be written about; so may the lease that it could not give back.
  const own = events.filter((event) => event.involvedObject.uid === uid && event.reason !== 'SecretLeaseRevoke');
  const lastSuccess = own.findLastIndex((event) => event.type === 'Normal');
  const warning = own.slice(lastSuccess + 1).findLast((event) => event.type === 'Warning');
  if (warning === undefined) {
    const lease = secret.status?.secretLease?.id;
    return {
      ...finding,
      status: served ? 'met' : 'unmet',
      actual: served ? (lease ? `lease ${lease}` : 'synced') : 'not served yet',
      ...(secret.status === undefined ? { hint: 'nobody has looked at it: does the secrets operator run?' } : {}),
    };
  }
  const message = (warning.message ?? '').replaceAll(/\s+/g, ' ');
  return {
    ...finding,
    status: 'unmet',
    actual: `${warning.reason ?? 'warning'}: ${message}`,
    final: definiteAnswer.test(message),
    hint: causeOf(message, from, namespace),
  };
}

function causeOf(message: string, from: string, namespace: string): string {
  if (/auth\/[\w-]+\/login/.test(message)) {
    return `Vault refuses the login: role, ServiceAccount or namespace of the VaultAuth in ${namespace} does not match the Kubernetes auth role`;
  }
  if (/no handler for route/.test(message)) return `no such mount: the mount or path of ${from} in the chart`;
  return `the policy does not allow ${from}: the mount or path in the chart, or the policy`;
}

/** Whether every key that a Deployment of the namespace mounts from a Secret is in that Secret. Values are never shown. */
export async function probeMountedKeys(kubernetes: KubernetesClient, namespace: string): Promise<Finding[]> {
  const deployments = await kubernetes.deployments(namespace);
  const wanted = deployments.flatMap((deployment) =>
    (deployment.spec?.template.spec?.volumes ?? []).flatMap((volume) =>
      volume.secret?.secretName === undefined
        ? []
        : [{ secret: volume.secret.secretName, keys: (volume.secret.items ?? []).map((item) => item.key) }],
    ),
  );
  return Promise.all(wanted.map(({ secret, keys }) => probeKeys(kubernetes, namespace, secret, keys)));
}

async function probeKeys(
  kubernetes: KubernetesClient,
  namespace: string,
  name: string,
  keys: string[],
): Promise<Finding> {
  const found = await kubernetes.secret(namespace, name);
  const present = Object.keys(found ?? {}).sort();
  const missing = keys.filter((key) => !present.includes(key));
  const met = found !== undefined && present.length > 0 && missing.length === 0;
  return {
    subject: `Secret ${name}`,
    status: met ? 'met' : 'unmet',
    expected: keys.length > 0 ? `keys ${keys.join(', ')}` : 'at least one key',
    actual: found === undefined ? 'not there yet' : `keys ${present.join(', ')}`,
    source: `secret ${namespace}/${name}`,
    // Once the operator has filled it, a key that is missing stays missing.
    ...(present.length > 0 && missing.length > 0
      ? {
          final: true,
          hint: `the Deployment mounts ${missing.join(', ')}, which Vault's answer does not have: a key in the chart`,
        }
      : {}),
  };
}
