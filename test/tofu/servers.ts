import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import axios from 'axios';
import { Client } from 'pg';
import { forgeHome } from '../../support/paths';
import { startScratchPostgres } from '../../support/postgres/scratch';
import { answers, freePort, ScratchServers } from '../../support/scratch-servers';

/** Real servers on 127.0.0.1 that OpenTofu works on: Postgres, Vault and the state bucket, all empty, all thrown away. */
export interface Servers {
  folder: string;
  postgres: { host: string; port: number; username: string; password: string };
  vault: { address: string; token: string };
  bucket: string;
  stop(): Promise<void>;
}

const forgeBin = join(forgeHome, 'bin');
/** Only ever valid for servers of this run on loopback. */
const throwawaySecret = 'rig-only';

/** Starts them. @throws OperatorError when one does not answer. */
export async function startServers(stateBucket: string): Promise<Servers> {
  const servers = await ScratchServers.begin();
  try {
    const [postgres, vault, bucket] = await Promise.all([
      startPostgres(servers),
      startVault(servers),
      startBucket(stateBucket, servers),
    ]);
    return { folder: servers.folder, postgres, vault, bucket, stop: () => servers.stop() };
  } catch (thrown) {
    await servers.stop();
    throw thrown;
  }
}

async function startPostgres(servers: ScratchServers): Promise<Servers['postgres']> {
  const { socket, port, login } = await startScratchPostgres(servers);
  // What stands outside OpenTofu in the lab, too (roles/postgres).
  await administer(socket, port, `create role pgbouncer_auth login password '${throwawaySecret}'`);
  return { host: '127.0.0.1', port, ...login };
}

async function administer(socket: string, port: number, sql: string): Promise<void> {
  const client = new Client({ host: socket, port, user: 'postgres', database: 'postgres' });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** The external plugins, under the same names as in the lab (roles/vault). */
const plugins = [
  { kind: 'auth', name: 'kubernetes', command: 'vault-plugin-auth-kubernetes' },
  { kind: 'database', name: 'postgresql-database-plugin', command: 'postgresql-database-plugin' },
];

async function startVault(servers: ScratchServers): Promise<Servers['vault']> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const headers = { 'X-Vault-Token': throwawaySecret };
  // Copies: Vault refuses links, and tries whatever else lies in the folder.
  const pluginFolder = join(servers.folder, 'plugins');
  await mkdir(pluginFolder);
  for (const { command } of plugins) await copyFile(join(forgeBin, command), join(pluginFolder, command));
  const listen = `-dev-listen-address=127.0.0.1:${port}`;
  servers.start(
    join(forgeBin, 'vault'),
    ['server', '-dev', '-dev-no-store-token', listen, `-dev-plugin-dir=${pluginFolder}`],
    {
      env: { VAULT_DEV_ROOT_TOKEN_ID: throwawaySecret },
    },
  );
  await answers('Vault', () => axios.get(`${address}/v1/sys/health`));
  for (const { kind, name, command } of plugins) {
    const program = await readFile(join(pluginFolder, command));
    const entry = { sha256: createHash('sha256').update(program).digest('hex'), command };
    await axios.put(`${address}/v1/sys/plugins/catalog/${kind}/${name}`, entry, { headers });
  }
  return { address, token: throwawaySecret };
}

async function startBucket(name: string, servers: ScratchServers): Promise<string> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const served = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'memory'];
  servers.start(join(forgeBin, 'fake-gcs-server'), [
    ...served,
    '-public-host',
    `127.0.0.1:${port}`,
    '-external-url',
    address,
  ]);
  await answers('the bucket server', () => axios.get(`${address}/storage/v1/b`));
  await axios.post(`${address}/storage/v1/b`, { name });
  return address;
}
