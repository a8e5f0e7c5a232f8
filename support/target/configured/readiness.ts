import { ensureAnsible } from '../../ansible/environment';
import { appOfApps, ArgoCdClient, argocdNamespace } from '../../argocd/client';
import { connectBackupBucket, connectStateBucket } from '../../backups/client';
import { worst, type Finding } from '../../finding';
import { connectGitea } from '../../gitea/client';
import { clusterMachines, type Inventory } from '../../inventory';
import { connectKubernetes } from '../../kubernetes/client';
import { judgeNodeReady } from '../../kubernetes/probes';
import { connectPostgres } from '../../postgres/client';
import { documents } from '../../storage/client';
import { connectVault } from '../../vault/client';
import { z } from 'zod';
import { accepts } from './power';

/** Says whether a part of the sandbox can be used now, by asking it. */
type Readiness = (inventory: Inventory) => Promise<Finding>;

const operatorNamespace = 'vault-secrets-operator-system';

/**
 * What must answer before a scenario that needs a stage begins, on a target that this project did not bring up. Stages are
 * named as the lab names them; what is asked is only whether the part can be used, never what a scenario has to find out.
 */
export const readiness: Readonly<Record<string, Readiness>> = {
  ansible: () => answer('Ansible', 'the suite’s own installation', () => ensureAnsible()),
  depot: async (inventory) => {
    const states = connectStateBucket(inventory);
    return answer(
      'the bucket of OpenTofu’s states',
      states.endpoint,
      async () => `${(await states.list()).length} objects`,
    );
  },
  postgres: (inventory) =>
    answer('Postgres', inventory.endpoints.postgres, async () => {
      const [row] = await connectPostgres(inventory).rows('postgres', 'show server_version', [], serverVersion);
      return row?.server_version ?? 'no version';
    }),
  kubernetes: async (inventory) => {
    const listed = await connectKubernetes().nodes();
    const nodes = clusterMachines(inventory).map(({ name }) => judgeNodeReady(listed, name));
    return nodes.find(({ status }) => status !== 'met') ?? { ...merged('every node', nodes), expected: 'Ready' };
  },
  gitea: (inventory) => answer('Gitea', inventory.endpoints.gitea, () => connectGitea(inventory).version()),
  vault: async (inventory) => {
    const { initialized, sealed, version } = await connectVault(inventory).health();
    const usable = initialized && !sealed;
    return {
      subject: 'Vault',
      status: usable ? 'met' : 'unmet',
      expected: 'unsealed',
      actual: usable ? `unsealed, ${version}` : initialized ? 'sealed' : 'not initialised',
      source: `${inventory.endpoints.vault}/v1/sys/health`,
      ...(usable ? {} : { hint: 'unseal it with the sandbox’s own key shares' }),
    };
  },
  'secrets-operator': () => deployed('Vault Secrets Operator', operatorNamespace),
  argocd: () => deployed('Argo CD', argocdNamespace),
  storage: () =>
    answer('Longhorn', 'volumes.longhorn.io of longhorn-system', async () => {
      const kind = { group: 'longhorn.io', version: 'v1beta2', plural: 'volumes' };
      const volumes = await connectKubernetes().resources(kind, 'longhorn-system', z.unknown());
      return `${volumes.length} volumes`;
    }),
  documents: () => deployed('the app documents', documents.namespace),
  pki: async (inventory) => {
    const url = new URL(inventory.endpoints.ca);
    const answers = await accepts(url.hostname, Number(url.port || 443));
    return {
      subject: 'the CA',
      status: answers ? 'met' : 'unmet',
      expected: 'connections accepted',
      actual: answers ? 'connections accepted' : 'no answer',
      source: url.href,
    };
  },
  platform: (inventory) =>
    answer('Vault’s mounts', inventory.endpoints.vault, async () => {
      const found = await connectVault(inventory).read('sys/mounts', z.record(z.string(), z.unknown()));
      const lacking = ['kvv2/', 'postgres/'].filter((mount) => found?.[mount] === undefined);
      if (lacking.length > 0)
        throw new Error(`no mount ${lacking.join(', ')}: the platform's OpenTofu was not applied`);
      return 'kvv2/ and postgres/ are there';
    }),
  backups: async (inventory) => {
    const bucket = connectBackupBucket(inventory);
    return answer('the bucket of backups', bucket.endpoint, async () => `${(await bucket.list()).length} objects`);
  },
  apps: async () => {
    const source = `applications.argoproj.io ${argocdNamespace}/${appOfApps}`;
    const found = await new ArgoCdClient(connectKubernetes()).application(appOfApps);
    const seen = found === undefined ? 'no such Application' : (found.status?.sync?.status ?? 'not compared yet');
    return {
      subject: 'the app-of-apps',
      status: seen === 'Synced' ? 'met' : 'unmet',
      expected: 'Synced',
      actual: seen,
      source,
    };
  },
};

/** What a stage stands on, as `lab up` brings it up: while Vault is sealed, apps are not ready although Argo CD says Synced. */
export const standsOn: Readonly<Record<string, readonly string[]>> = {
  'secrets-operator': ['kubernetes'],
  argocd: ['kubernetes'],
  storage: ['kubernetes'],
  documents: ['storage'],
  pki: ['kubernetes'],
  platform: ['postgres', 'vault', 'depot'],
  backups: ['platform'],
  apps: ['gitea', 'argocd', 'platform', 'secrets-operator'],
};

const serverVersion = z.object({ server_version: z.string() });

/** Met when the question is answered; a part that does not answer is unmet, with its own words. */
async function answer(subject: string, source: string, ask: () => Promise<string>): Promise<Finding> {
  const finding = { subject, expected: 'an answer', source };
  try {
    return { ...finding, status: 'met', actual: await ask() };
  } catch (thrown) {
    return { ...finding, status: 'unmet', actual: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

async function deployed(what: string, namespace: string): Promise<Finding> {
  // One that was scaled to nothing on purpose is not waited for.
  const deployments = (await connectKubernetes().deployments(namespace)).filter(({ spec }) => spec?.replicas !== 0);
  const waiting = deployments.filter(({ status }) => (status?.availableReplicas ?? 0) === 0);
  const ready = deployments.length > 0 && waiting.length === 0;
  const names = waiting.map(({ metadata }) => metadata?.name ?? '?').join(', ');
  return {
    subject: what,
    status: ready ? 'met' : 'unmet',
    expected: 'every Deployment available',
    actual: ready
      ? `${deployments.length} available`
      : deployments.length === 0
        ? 'none there'
        : `not available: ${names}`,
    source: `deployments of ${namespace}`,
  };
}

function merged(subject: string, findings: readonly Finding[]): Finding {
  return {
    subject,
    status: worst(findings),
    expected: 'all',
    actual: findings.map((one) => `${one.subject}: ${one.actual}`).join(', ') || 'none',
    source: findings[0]?.source ?? 'the inventory',
  };
}
