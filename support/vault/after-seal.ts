import axios from 'axios';
import { z } from 'zod';
import { compare, type Finding } from '../finding';
import type { KubernetesClient } from '../kubernetes/client';
import type { Systems } from '../systems';
import { markerKey } from './config-marker';

const accessor = z.object({ path: z.string(), creation_time: z.number(), display_name: z.string().optional() });
const dynamicSecrets = { group: 'secrets.hashicorp.com', version: 'v1beta1', plural: 'vaultdynamicsecrets' };

/** Who logs in by the Kubernetes auth method besides the secrets operator: the scheduled backup of Vault. */
const backupsLogin = 'kubernetes-vault-backups';

/** Whether the secrets operator logged in by the Kubernetes auth method since an instant. */
export async function probeReauthenticated({ vault }: Systems, since: string): Promise<Finding> {
  const source = 'LIST auth/token/accessors and their tokens';
  const seconds = Date.parse(since) / 1000;
  const tokens = await Promise.all(
    (await vault.list('auth/token/accessors')).map((id) => vault.lookUpAccessor(id, accessor)),
  );
  const logins = tokens.filter(
    (token) =>
      token?.path === 'auth/kubernetes/login' && token.creation_time >= seconds && token.display_name !== backupsLogin,
  );
  const finding = compare('login of the secrets operator', 'since the drill began', 'none since', source);
  if (logins.length === 0)
    return { ...finding, hint: 'it goes on with its old tokens: restart it as the runbook says' };
  return { ...finding, status: 'met', actual: `${logins.length} since the drill began` };
}

/** Whether a changed secret has reached the pod that mounts it. Without a marker: that it was taken away again has. */
export async function probeSecretReaches(
  kubernetes: KubernetesClient,
  instance: string,
  marker?: string,
): Promise<Finding> {
  const written = (await kubernetes.secret(instance, `${instance}-config`))?.[markerKey];
  const pods = await kubernetes.pods(instance);
  const pod = pods.find(
    ({ status, metadata }) => status?.phase === 'Running' && metadata?.deletionTimestamp === undefined,
  );
  const port = pod?.spec?.containers[0]?.ports?.[0]?.containerPort;
  const address = port === undefined ? undefined : pod?.status?.podIP;
  const keys = address === undefined ? undefined : await configKeys(`http://${address}:${port}/healthz`);
  return judgeSecretReached(instance, marker, { written, keys });
}

/** The same, of the marker in the Secret and the keys that the pod says it has read, if one runs. */
export function judgeSecretReached(
  instance: string,
  marker: string | undefined,
  { written, keys }: { written: string | undefined; keys: readonly string[] | undefined },
): Finding {
  const read = keys?.includes(markerKey) === (marker !== undefined);
  const actual =
    written !== marker ? 'not in the Secret yet' : read ? 'read by the pod' : 'in the Secret, not in the pod yet';
  const source = `secret ${instance}/${instance}-config and GET /healthz of its pod`;
  return compare(`changed secret of ${instance}`, 'read by the pod', actual, source);
}

/** Whether the lease of an instance's database user can be renewed. */
export async function probeLeaseRenews({ vault, kubernetes }: Systems, instance: string): Promise<Finding> {
  const shape = z.object({ status: z.object({ secretLease: z.object({ id: z.string() }) }) });
  const secret = await kubernetes.resource(dynamicSecrets, instance, `${instance}-database`, shape);
  const lease = secret?.status.secretLease.id ?? '';
  await vault.write('sys/leases/renew', { lease_id: lease });
  return compare(`lease of ${instance}`, 'renewed', 'renewed', 'POST sys/leases/renew');
}

async function configKeys(url: string): Promise<string[]> {
  const answer = await axios.get<unknown>(url, {
    timeout: 5_000,
    proxy: false,
    maxRedirects: 0,
    validateStatus: () => true,
  });
  return z.object({ config_keys: z.array(z.string()).optional() }).parse(answer.data).config_keys ?? [];
}
