import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { join } from 'node:path';
import { writeProviderMirror } from '../../sandbox/standins/mirror';
import { layOutRootModules } from '../../support/factory/checkout';
import { readInventory, type Inventory } from '../../support/inventory';
import { namesOf } from '../../support/naming';
import { forgeHome } from '../../support/paths';
import { TofuClient, type TofuRoot } from '../../support/tofu/client';
import { ciToken } from '../../support/vault/ci-token';
import { startServers, type Servers } from './servers';

/**
 * The factory's OpenTofu roots on real servers of 127.0.0.1: a checkout with the two shared roots and every app's own
 * beside them, the provider mirror (of the forge's providers, or those built to STANDINS_BIN), and a CI issuer.
 */
export interface Rig {
  servers: Servers;
  inventory: Inventory;
  tofu: TofuClient;
  /** The program, and the configuration that installs from the mirror. */
  binary: string;
  configuration: string;
  /** In the order in which they have to be applied the first time. */
  shared: { name: string; root: TofuRoot }[];
  apps: { name: string; root: () => Promise<TofuRoot> }[];
  /** Public key (PEM file) of the CI issuer. */
  publicKey: string;
  stop(): Promise<void>;
}

/** Starts servers and lays the checkout out. */
export async function startRig(): Promise<Rig> {
  const lab = readInventory();
  const servers = await startServers(lab.stateBucket);
  try {
    return await layOut(servers, {
      ...lab,
      endpoints: {
        ...lab.endpoints,
        vault: servers.vault.address,
        bucket: servers.bucket,
        postgres: `${servers.postgres.host}:${servers.postgres.port}`,
      },
    });
  } catch (thrown) {
    await servers.stop();
    throw thrown;
  }
}

async function layOut(servers: Servers, inventory: Inventory): Promise<Rig> {
  const modules = layOutRootModules(join(servers.folder, 'checkout'), { inventory });
  const issuer = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const publicKey = join(servers.folder, 'ci-jwt.pub');
  await writeFile(publicKey, issuer.publicKey);
  const mirror = join(servers.folder, 'tofu');
  await writeProviderMirror(process.env['STANDINS_BIN'] ?? join(forgeHome, 'bin'), mirror);

  const binary = join(forgeHome, 'bin', 'tofu');
  const configuration = join(mirror, 'tofurc');
  const { host, port, username, password } = servers.postgres;
  const asRoot = { VAULT_ADDR: servers.vault.address, VAULT_TOKEN: servers.vault.token };
  const postgresEnvironment = { PGHOST: host, PGPORT: String(port), PGUSER: username, PGPASSWORD: password };
  const appRoot = async (name: string, directory: string): Promise<TofuRoot> => ({
    directory,
    statePrefix: namesOf(name).statePrefix,
    env: {
      VAULT_ADDR: servers.vault.address,
      TERRAFORM_VAULT_AUTH_JWT: await ciToken(issuer.privateKey, `${inventory.giteaOrg}/${name}`),
    },
  });
  return {
    servers,
    inventory,
    tofu: new TofuClient(inventory, binary, configuration),
    binary,
    configuration,
    publicKey,
    shared: [
      {
        name: 'hashicorp-vault',
        root: {
          directory: modules.vault,
          statePrefix: 'sandbox/hashicorp-vault/main',
          env: {
            ...asRoot,
            TF_VAR_gitea_jwt_public_key_file: publicKey,
            // No Kubernetes here: Vault only keeps what it would ask it with.
            TF_VAR_kubernetes_ca_cert: rootCertificates[0] ?? '',
          },
        },
      },
      {
        name: 'postgres',
        root: {
          directory: modules.postgres,
          statePrefix: 'sandbox/postgres/main',
          env: { ...asRoot, ...postgresEnvironment, TF_VAR_postgres_endpoint: inventory.endpoints.postgres },
        },
      },
    ],
    apps: [...modules.apps].map(([name, directory]) => ({ name, root: () => appRoot(name, directory) })),
    stop: () => servers.stop(),
  };
}
