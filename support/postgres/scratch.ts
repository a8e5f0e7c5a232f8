import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { run } from '../command';
import { OperatorError } from '../failure';
import type { Login } from '../sandbox-secrets';
import { answers, freePort, type ScratchServers } from '../scratch-servers';

/** Where Debian keeps what the server itself consists of. */
export const serverPrograms = '/usr/lib/postgresql/15/bin';

/** An empty server: on a socket for its superuser without a password, on loopback with one. */
export interface ScratchPostgres {
  socket: string;
  port: number;
  /** Its superuser; the password is a secret of this run. */
  login: Login;
}

/** Whether this host has the programs of a Postgres server. */
export function serverIsInstalled(): boolean {
  return existsSync(join(serverPrograms, 'initdb'));
}

/** Starts an empty Postgres. @throws OperatorError when its programs are not installed, AwaitTimeout when it does not answer. */
export async function startScratchPostgres(servers: ScratchServers): Promise<ScratchPostgres> {
  if (!serverIsInstalled()) {
    throw new OperatorError({
      attempted: 'start an empty Postgres',
      where: 'this host',
      expected: `the programs of Postgres 15 in ${serverPrograms}`,
      seen: 'they are not there',
      next: 'run `npm run lab -- install-deps` (it installs postgresql-15), then this again.',
      exitCode: 2,
    });
  }
  const data = join(servers.folder, 'postgres');
  const port = await freePort();
  await mkdir(data, { mode: 0o700 });
  await run('chown', ['postgres:', data]);
  const initdb = [join(serverPrograms, 'initdb'), '--no-sync', '-D', data, '--encoding', 'UTF8', '--locale', 'C.UTF-8'];
  const logins = ['--auth-local', 'trust', '--auth-host', 'scram-sha-256'];
  await run('runuser', ['-u', 'postgres', '--', ...initdb, ...logins]);
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${data}`, 'fsync=off'];
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  servers.start(join(serverPrograms, 'postgres'), args, { user: 'postgres' });
  const login = { username: 'postgres', password: randomBytes(16).toString('hex') };
  await answers('Postgres', async () => {
    const client = new Client({ host: data, port, user: login.username, database: 'postgres' });
    await client.connect();
    await client.query(`alter role postgres password '${login.password}'`).finally(() => client.end());
  });
  return { socket: data, port, login };
}
