import type { V1Pod } from '@kubernetes/client-node';
import axios from 'axios';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { z } from 'zod';
import { argocdNamespace } from '../argocd/client';
import { run } from '../command';
import { assertAllowed } from '../isolation';
import { forgeProgram } from '../paths';
import { throughPgBouncer } from '../postgres/client';
import { secretFile } from '../sandbox-secrets';
import type { Systems } from '../systems';
import { agreed, imageTag, type Observed, type ParityObserver } from './observe';
import { placement } from './placement';

/** The Application that renders all others; it is not an app itself. */
const appOfApps = 'factory';
const operatorNamespace = 'vault-secrets-operator-system';
const longhornNamespace = 'longhorn-system';
/** Where the pod's name label is upstream's: cert-manager's chart, Traefik's chart. */
const nameLabel = 'app.kubernetes.io/name';

/** Types of the mounts that every Vault has from the start. */
const builtInTypes = new Set(['cubbyhole', 'identity', 'system']);

const mountsShape = z.record(
  z.string(),
  z.object({ type: z.string(), options: z.record(z.string(), z.string()).nullish() }),
);
const rows = z.object({ server_version: z.string() });
const version = z.object({ version: z.string() });
const argocdVersion = z.object({ Version: z.string() });
const tofuVersion = z.object({ terraform_version: z.string() });

/** Observes a running sandbox through the product clients: every value is asked of the live system. */
export function liveObserver(systems: Systems): ParityObserver {
  const { kubernetes, vault, postgres, inventory } = systems;
  return {
    kubernetes: async () => {
      const [server, nodes] = await Promise.all([kubernetes.version(), kubernetes.nodes()]);
      const kubelets = nodes.map((node): [string, string] => [
        `kubelet ${node.metadata?.name ?? '?'}`,
        node.status?.nodeInfo?.kubeletVersion ?? 'unknown',
      ]);
      return {
        value: agreed({ 'API server': server, ...Object.fromEntries(kubelets) }),
        source: 'GET /version, nodes .status.nodeInfo',
      };
    },
    'ready-nodes': async () => {
      const ready = (await kubernetes.nodes()).filter((node) =>
        node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
      );
      return { value: ready.flatMap((node) => node.metadata?.name ?? []), source: 'nodes .status.conditions' };
    },
    storage: async () => {
      const managers = await kubernetes.pods(longhornNamespace, 'app=longhorn-manager');
      // Longhorn itself runs as pods; what only answers to its API is none of its versions.
      const served = (await kubernetes.customKinds()).includes('volumes.longhorn.io');
      const source = `pods app=longhorn-manager of ${longhornNamespace}, kind volumes.longhorn.io`;
      if (managers.length === 0) return { value: served ? 'longhorn stand-in' : 'none', source };
      return { value: `longhorn ${agreed(tags(managers))}`, source };
    },
    vault: async () => ({ value: (await vault.health()).version, source: 'GET sys/health' }),
    'vault-mounts': () => mounts(systems, 'sys/mounts'),
    'vault-auth-methods': () => mounts(systems, 'sys/auth'),
    'secrets-operator': async () => {
      const pods = running(await kubernetes.pods(operatorNamespace, 'control-plane=controller-manager'));
      return { value: agreed(tags(pods, 'manager')), source: `pods of ${operatorNamespace}, container manager` };
    },
    argocd: async () => {
      const [server, pods] = await Promise.all([
        answer(`${inventory.endpoints.argocd}/api/version`, argocdVersion),
        kubernetes.pods(argocdNamespace),
      ]);
      // Redis runs in the same namespace, from an image of its own.
      const own = running(pods).filter((pod) => pod.spec?.containers.some(({ image }) => image?.includes('/argocd:')));
      const images = agreed(tags(own));
      // The binary adds its commit: v3.2.0+66b2f30.
      const value = agreed({ server: server.Version.split('+')[0] ?? '', images });
      return { value, source: 'GET /api/version of argocd-server, images of its pods' };
    },
    'app-of-apps': async () => {
      const applications = await systems.argocd.applications();
      const names = applications.map(({ metadata }) => metadata.name).filter((name) => name !== appOfApps);
      return { value: names, source: 'applications.argoproj.io of argocd' };
    },
    postgres: async () => {
      const [row] = await postgres.rows('postgres', 'show server_version', [], rows);
      return {
        value: row?.server_version.split('.')[0] ?? 'unknown',
        source: `show server_version at ${postgres.address}`,
      };
    },
    'postgres-placement': () => placed(systems, inventory.endpoints.postgres),
    pgbouncer: async () => {
      const login = { username: poolerUser, password: readPoolerPassword() };
      const [row] = await throughPgBouncer(inventory, login).rows('pgbouncer', 'SHOW VERSION', [], version);
      return {
        value: row?.version.replace('PgBouncer ', '') ?? 'unknown',
        source: `SHOW VERSION at ${inventory.endpoints.pgbouncer}`,
      };
    },
    gitea: async () => ({ value: await systems.gitea.version(), source: 'GET /api/v1/version' }),
    'gitea-placement': () => placed(systems, new URL(inventory.endpoints.gitea).host),
    opentofu: async () => {
      const printed = await run(forgeProgram('tofu'), ['version', '-json'], {
        env: { CHECKPOINT_DISABLE: '1' },
      });
      return { value: tofuVersion.parse(JSON.parse(printed.stdout)).terraform_version, source: 'tofu version -json' };
    },
    'step-ca': async () => {
      const url = `${inventory.endpoints.ca}/version`;
      return { value: (await answer(url, version, readTrustedRoot())).version, source: `GET ${url}` };
    },
    'cert-manager': async () => {
      const pods = running(await kubernetes.pods(undefined, `${nameLabel}=cert-manager`));
      return { value: agreed(tags(pods)), source: `pods ${nameLabel}=cert-manager` };
    },
    ingress: async () => {
      const pods = running(await kubernetes.pods(undefined, `${nameLabel}=traefik`));
      return { value: `traefik ${agreed(tags(pods))}`, source: `pods ${nameLabel}=traefik` };
    },
  };
}

/** The pooler's own user, which may read its console (stats_users). */
const poolerUser = 'pgbouncer_auth';

/** The root of the private CA that the operator trusts. */
function readTrustedRoot(): string {
  return readFileSync(secretFile('arcodange-lab-ca.crt'), 'utf8');
}

function readPoolerPassword(): string {
  return readFileSync(secretFile(join('postgres', poolerUser)), 'utf8').trim();
}

/** Mounts with their type, and for a key-value engine its version: "kvv2 (kv v2)". */
async function mounts({ vault }: Systems, path: 'sys/mounts' | 'sys/auth'): Promise<Observed> {
  const found = (await vault.read(path, mountsShape)) ?? {};
  const value = Object.entries(found)
    .filter(([, { type }]) => !builtInTypes.has(type))
    .map(([name, { type, options }]) => {
      const version = type === 'kv' ? ` v${options?.['version'] ?? '1'}` : '';
      return `${name.replace(/\/$/, '')} (${type}${version})`;
    });
  return { value, source: `GET ${path}` };
}

async function placed({ kubernetes, inventory }: Systems, address: string): Promise<Observed> {
  const [host = '', port = ''] = address.split(':');
  const [pods, services] = await Promise.all([kubernetes.pods(), kubernetes.services()]);
  const value = placement({ host, port: Number(port), machines: inventory.machines, pods, services });
  return { value, source: `${address} against the inventory, and the cluster's pods and Services` };
}

/** The image tags of pods by pod name; of one container, or of the first. */
function tags(pods: readonly V1Pod[], container?: string): Record<string, string> {
  return Object.fromEntries(
    pods.map((pod) => {
      const containers = pod.spec?.containers ?? [];
      const chosen = container === undefined ? containers[0] : containers.find(({ name }) => name === container);
      return [`image of ${pod.metadata?.name ?? '?'}`, imageTag(chosen?.image ?? '')];
    }),
  );
}

function running(pods: readonly V1Pod[]): V1Pod[] {
  return pods.filter((pod) => pod.status?.phase === 'Running');
}

/** @param root whom to trust over TLS, PEM. */
async function answer<T>(url: string, shape: z.ZodType<T>, root?: string): Promise<T> {
  assertAllowed(url);
  const trust = root === undefined ? {} : { httpsAgent: new Agent({ ca: root }) };
  const response = await axios.get<unknown>(url, { timeout: 10_000, maxRedirects: 0, proxy: false, ...trust });
  return shape.parse(response.data);
}
