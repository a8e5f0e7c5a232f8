import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axios from 'axios';
import { Client } from 'pg';
import { childEnvironment, run } from '../../support/command';
import { eventually } from '../../support/eventually';
import { reason } from '../../support/failure';
import { forgeHome } from '../../support/paths';

/** Real servers on 127.0.0.1 that OpenTofu works on: Postgres, Vault and the state bucket, all empty, all thrown away. */
export interface Servers {
  folder: string;
  postgres: { host: string; port: number; username: string; password: string };
  vault: { address: string; token: string };
  bucket: string;
  stop(): Promise<void>;
}

const postgresPrograms = '/usr/lib/postgresql/15/bin';
const forgeBin = join(forgeHome, 'bin');
/** Only ever valid for servers of this run on loopback. */
const throwawaySecret = 'rig-only';

/** Starts them. @throws OperatorError when one does not answer. */
export async function startServers(stateBucket: string): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'tofu-rig-'));
  await chmod(folder, 0o755);
  const children: ChildProcess[] = [];
  const start = (file: string, args: string[], env: Record<string, string> = {}): void => {
    children.push(spawn(file, args, { env: childEnvironment(env), stdio: 'ignore' }));
  };
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(ended));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [postgres, vault, bucket] = await Promise.all([
      startPostgres(folder, start),
      startVault(folder, start),
      startBucket(stateBucket, start),
    ]);
    return { folder, postgres, vault, bucket, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

type Start = (file: string, args: string[], env?: Record<string, string>) => void;

async function startPostgres(folder: string, start: Start): Promise<Servers['postgres']> {
  const data = join(folder, 'postgres');
  const port = await freePort();
  await mkdir(data, { mode: 0o700 });
  await run('chown', ['postgres:', data]);
  const asPostgres = ['-u', 'postgres', '--'];
  const initdb = join(postgresPrograms, 'initdb');
  await run('runuser', [
    ...asPostgres,
    initdb,
    '--no-sync',
    '-D',
    data,
    '--auth-local',
    'trust',
    '--auth-host',
    'scram-sha-256',
  ]);
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${data}`, 'fsync=off'];
  // setpriv replaces itself by Postgres, so that the signal that ends it reaches it.
  start('setpriv', [
    ...['--reuid=postgres', '--regid=postgres', '--init-groups', join(postgresPrograms, 'postgres'), '-D', data],
    ...settings.flatMap((setting) => ['-c', setting]),
  ]);
  await answers('Postgres', () => administer(data, port, 'select 1'));
  // What stands outside OpenTofu in the lab, too (roles/postgres).
  await administer(data, port, `alter role postgres password '${throwawaySecret}'`);
  await administer(data, port, `create role pgbouncer_auth login password '${throwawaySecret}'`);
  return { host: '127.0.0.1', port, username: 'postgres', password: throwawaySecret };
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

async function startVault(folder: string, start: Start): Promise<Servers['vault']> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const headers = { 'X-Vault-Token': throwawaySecret };
  // Copies: Vault refuses links, and tries whatever else lies in the folder.
  const pluginFolder = join(folder, 'plugins');
  await mkdir(pluginFolder);
  for (const { command } of plugins) await copyFile(join(forgeBin, command), join(pluginFolder, command));
  const listen = `-dev-listen-address=127.0.0.1:${port}`;
  start(join(forgeBin, 'vault'), ['server', '-dev', '-dev-no-store-token', listen, `-dev-plugin-dir=${pluginFolder}`], {
    VAULT_DEV_ROOT_TOKEN_ID: throwawaySecret,
  });
  await answers('Vault', () => axios.get(`${address}/v1/sys/health`));
  for (const { kind, name, command } of plugins) {
    const program = await readFile(join(pluginFolder, command));
    const entry = { sha256: createHash('sha256').update(program).digest('hex'), command };
    await axios.put(`${address}/v1/sys/plugins/catalog/${kind}/${name}`, entry, { headers });
  }
  return { address, token: throwawaySecret };
}

async function startBucket(name: string, start: Start): Promise<string> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const served = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'memory'];
  start(join(forgeBin, 'fake-gcs-server'), [...served, '-public-host', `127.0.0.1:${port}`, '-external-url', address]);
  await answers('the bucket server', () => axios.get(`${address}/storage/v1/b`));
  await axios.post(`${address}/storage/v1/b`, { name });
  return address;
}

async function answers(what: string, ask: () => Promise<unknown>): Promise<void> {
  await eventually(
    `${what} answers`,
    async () => {
      const seen = await ask().then(
        () => 'answers',
        (thrown: unknown) => reason(thrown),
      );
      return {
        subject: what,
        status: seen === 'answers' ? 'met' : 'unmet',
        expected: 'answers',
        actual: seen,
        source: 'its port on 127.0.0.1',
      };
    },
    'boot',
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** SIGINT is Postgres' fast shutdown; the others end on it as well. */
function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGINT');
  });
}
