import { doesNotThrow, equal, match, rejects, throws } from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { readConfiguration } from '../../support/configuration/read';
import { OperatorError } from '../../support/failure';
import { readInventory } from '../../support/inventory';
import {
  assertInsideBoundary,
  assertOwnCluster,
  namedLikeProduction,
  probeCluster,
} from '../../support/target/configured/boundary';
import { proveCluster } from '../../support/target/configured/proof';
import { ProductError } from '../../support/product-error';
import type { KubernetesClient } from '../../support/kubernetes/client';

const folder = mkdtempSync(join(tmpdir(), 'target-boundary-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Planted {
  network?: object;
  kubernetes?: object;
  power?: object;
  server?: string;
  context?: string;
  host?: string;
}

/** A sound configuration of the lab's network, with what a case plants in it. */
function configured(planted: Planted = {}): ReturnType<typeof readConfiguration> {
  const write = (name: string, content: unknown): string => {
    writeFileSync(join(folder, name), stringify(content));
    return name;
  };
  const context = planted.context ?? 'sandbox';
  return readConfiguration(
    join(
      folder,
      write('sandbox.config.yaml', {
        target: 'vms',
        network: { machines: '10.77.0.0/24', operator: '10.77.0.1', ...planted.network },
        inventory: write('inventory.yaml', {
          all: { children: { cluster: { hosts: { pi1: { ansible_host: planted.host ?? '10.77.0.201' } } } } },
        }),
        kubernetes: {
          kubeconfig: write('kubeconfig', {
            'current-context': context,
            clusters: [{ name: 'one', cluster: { server: planted.server ?? 'https://10.77.0.201:6443' } }],
            contexts: [{ name: context, context: { cluster: 'one', user: 'admin' } }],
            users: [{ name: 'admin', user: {} }],
          }),
          context: 'sandbox',
          ...planted.kubernetes,
        },
        vault: { address: 'http://10.77.0.201:8200', keys: 'keys.json' },
        postgres: { address: '10.77.0.202:5432', pgbouncer: '10.77.0.202:6432', credentials: 'postgres.json' },
        gitea: { address: 'http://10.77.0.202:3000', credentials: 'gitea.json' },
        argocd: { address: 'http://10.77.0.201:8080' },
        bucket: { address: 'http://10.77.0.10:4443' },
        ...(planted.power === undefined ? {} : { power: planted.power }),
      }),
    ),
  );
}

function refused(planted: Planted, why: RegExp): void {
  const read = configured(planted);
  throws(
    () => assertInsideBoundary(read, { ...readInventory(), file: read.configuration.inventory }),
    (thrown) => {
      match(String(thrown), why);
      return thrown instanceof OperatorError && thrown.parts.exitCode === 3;
    },
  );
}

/** A cluster of one node. */
function cluster(uid: string, address: string): KubernetesClient {
  const node = { metadata: { name: 'n' }, status: { addresses: [{ type: 'InternalIP', address }] } };
  return {
    nodes: () => Promise.resolve([node]),
    identity: () => Promise.resolve(uid),
  } as unknown as KubernetesClient;
}

/** A cluster whose API server refuses every request. */
function refusing(code: string): KubernetesClient {
  const nodes = (): Promise<never> => Promise.reject(new ProductError('Kubernetes', code, 'GET nodes', 'no'));
  return { nodes } as unknown as KubernetesClient;
}

describe('a configured target', () => {
  it('is accepted inside its own networks', () => {
    const read = configured();
    doesNotThrow(() => assertInsideBoundary(read, { ...readInventory(), file: read.configuration.inventory }));
  });

  it('is refused when its network holds production', () =>
    refused({ network: { machines: '192.168.1.0/24' } }, /holds 192\.168\.1\.201, a production machine/));

  it('is refused when its kubeconfig leads to production', () =>
    refused({ server: 'https://192.168.1.201:6443' }, /production machine/));

  it('is refused when its kubeconfig leads out of its networks', () =>
    refused({ server: 'https://203.0.113.7:6443' }, /none of the target's networks/));

  it('is refused when a machine of its inventory is production, however it is spelled', () =>
    refused({ host: '0xC0A801C9' }, /production machine/));

  it('is refused when a power command names production', () =>
    refused({ power: { on: 'ssh root@192.168.1.203 start {machine}' } }, /production machine/));

  it('is refused when its kubeconfig’s current context is another one', () =>
    refused({ context: 'elsewhere' }, /leads to context elsewhere/));

  for (const name of ['prod', 'arcodange', 'k3s-production', 'live.cluster']) {
    it(`is refused with context ${name} and nothing but that name`, () =>
      refused({ context: name, kubernetes: { context: name } }, /production could bear that name/));
  }

  it('with a context like production is accepted for its proof, which the cluster must then bear out', async () => {
    const read = configured({ context: 'prod', kubernetes: { context: 'prod', cluster_uid: 'a-b-c' } });
    doesNotThrow(() => assertInsideBoundary(read, { ...readInventory(), file: read.configuration.inventory }));
    const same = await probeCluster(read, cluster('a-b-c', '10.77.0.201'));
    doesNotThrow(() => assertOwnCluster(read, same));
    const other = await probeCluster(read, cluster('d-e-f', '10.77.0.201'));
    throws(() => assertOwnCluster(read, other), /cluster, d-e-f: expected a-b-c/);
    const tunnel = await probeCluster(read, cluster('a-b-c', '192.168.1.201'));
    throws(() => assertOwnCluster(read, tunnel), /production machine/);
    throws(() => assertOwnCluster(read, []), /no node with an address/);
  });

  it('may say sandbox in a name that has a word of production too', () => {
    equal(namedLikeProduction({ context: 'arcodange-sandbox', cluster: 'lab', user: 'admin' }), undefined);
    equal(namedLikeProduction({ context: 'lab', cluster: 'reproduction', user: 'delivery' }), undefined);
    equal(namedLikeProduction({ context: 'lab', cluster: 'prod', user: 'admin' }), 'prod');
  });
});

describe('the proof that commands ask for before they act', () => {
  const server = createServer();
  before(() => once(server.listen(0, '127.0.0.1'), 'listening'));
  after(() => void server.close());
  const port = (): number => (server.address() as AddressInfo).port;
  const read = (planted: Planted = {}): ReturnType<typeof readConfiguration> =>
    configured({ server: `https://127.0.0.1:${port()}`, ...planted });
  const home = (): string => mkdtempSync(join(folder, 'home-'));
  const own = cluster('a-b-c', '10.77.0.201');
  const ends =
    (exitCode: number, why: RegExp) =>
    (thrown: unknown): boolean => {
      match(String(thrown), why);
      return thrown instanceof OperatorError && thrown.parts.exitCode === exitCode;
    };

  it('is had when every node lies inside the networks', () => proveCluster(read(), own, home()));

  it('refuses a tunnel to another cluster, also after its own was proven', async () => {
    const where = home();
    await proveCluster(read(), own, where);
    const tunnel = cluster('a-b-c', '192.168.1.201');
    await rejects(proveCluster(read(), tunnel, where), ends(3, /production machine/));
  });

  it('refuses a cluster that answers and proves nothing', () =>
    rejects(proveCluster(read(), refusing('401'), home()), ends(3, /answered 401/)));

  it('does not take silence for a proof', async () => {
    await rejects(proveCluster(read(), refusing('503'), home()), ends(2, /never proven/));
    // Nobody listens on port 1.
    const off = read({ server: 'https://127.0.0.1:1' });
    await rejects(proveCluster(off, own, home()), ends(2, /no answer from 127\.0\.0\.1:1/));
  });

  it('lets a cluster be healed that was proven before it fell silent, and no other', async () => {
    const where = home();
    await proveCluster(read(), own, where);
    await proveCluster(read(), refusing('503'), where);
    const other = read({ kubernetes: { cluster_uid: 'd-e-f' } });
    await rejects(proveCluster(other, refusing('503'), where), ends(2, /never proven/));
  });
});
