import { createReadStream } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import axios from 'axios';
import { z } from 'zod';
import { compare, type Finding } from '../../finding';
import { forgeProgram } from '../../paths';
import { readClusterKeys } from '../../sandbox-secrets';
import { answers, freePort, type ScratchServers } from '../../scratch-servers';
import { VaultClient } from '../../vault/client';
import type { BucketClient } from '../client';

/** Under the names of Vault's catalog, which the backup holds with their checksums (role vault). */
const plugins = ['vault-plugin-auth-kubernetes', 'postgresql-database-plugin'];
const initialised = z.object({ keys: z.array(z.string()).min(1), root_token: z.string() });
const anything = z.record(z.string(), z.unknown());

/**
 * Restores a backup into an empty Vault of its own and unseals it with the sandbox's own key shares: nothing else opens it.
 * @returns that Vault, as its root.
 * @throws OperatorError when it does not come up, refuses the backup, or the shares do not open it.
 */
export async function restoreVault(
  servers: ScratchServers,
  bucket: BucketClient,
  folder: string,
): Promise<VaultClient> {
  const snapshot = join(servers.folder, 'vault.snapshot');
  await bucket.getFile(`${folder}/vault.snapshot`, snapshot);
  const { address, start } = await emptyVault(servers);
  const end = start();
  const http = axios.create({ baseURL: `${address}/v1`, proxy: false, timeout: 60_000 });
  await answers('Vault', () => http.get('/sys/seal-status'));
  const first = initialised.parse((await http.put('/sys/init', { secret_shares: 1, secret_threshold: 1 })).data);
  await http.put('/sys/unseal', { key: first.keys[0] });
  const headers = { 'X-Vault-Token': first.root_token };
  await active(address);
  await http.post('/sys/storage/raft/snapshot-force', createReadStream(snapshot), { headers });
  // It goes on with the number of shares of its own beginning until it is started anew.
  await end();
  start();
  const keys = readClusterKeys();
  const restored = new VaultClient(address, keys.root_token);
  await answers('the restored Vault', () => restored.sealStatus());
  for (const share of keys.unseal_keys_b64) if (await restored.unseal(share)) break;
  await active(address);
  return restored;
}

/** Lays out an empty Vault. @returns where it answers, and what starts it. */
async function emptyVault(servers: ScratchServers): Promise<{ address: string; start: () => () => Promise<void> }> {
  const [port, cluster] = [await freePort(), await freePort()];
  const address = `http://127.0.0.1:${port}`;
  const [data, pluginFolder, file] = ['vault', 'plugins', 'vault.json'].map((name) => join(servers.folder, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([mkdir(data, { mode: 0o700 }), mkdir(pluginFolder)]);
  for (const plugin of plugins) await copyFile(forgeProgram(plugin), join(pluginFolder, plugin));
  const settings = {
    disable_mlock: true,
    api_addr: address,
    cluster_addr: `http://127.0.0.1:${cluster}`,
    plugin_directory: pluginFolder,
    listener: { tcp: { address: `127.0.0.1:${port}`, cluster_address: `127.0.0.1:${cluster}`, tls_disable: true } },
    storage: { raft: { path: data, node_id: 'restored', performance_multiplier: 1 } },
  };
  await writeFile(file, JSON.stringify(settings), { mode: 0o600 });
  return { address, start: () => servers.start(forgeProgram('vault'), ['server', `-config=${file}`]) };
}

/** A Vault that was unsealed elects itself, and answers 200 then. */
function active(address: string): Promise<void> {
  return answers('the active Vault', () => axios.get(`${address}/v1/sys/health`, { proxy: false, timeout: 10_000 }));
}

/** Whether two Vaults hold the same configuration and policies of instances. Values are compared, never shown. */
export async function probeSameVault(
  live: VaultClient,
  restored: VaultClient,
  instances: readonly string[],
): Promise<Finding[]> {
  const paths = instances.flatMap((instance) => [`kvv2/data/${instance}/config`, `sys/policies/acl/${instance}`]);
  return Promise.all(
    paths.map(async (path) => {
      const [now, then] = await Promise.all([live.read(path, anything), restored.read(path, anything)]);
      const same = now !== undefined && isDeepStrictEqual(now, then);
      return compare(path, 'as in the live Vault', same ? 'as in the live Vault' : 'not as there', 'both Vaults');
    }),
  );
}
