import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { run } from '../command';
import { OperatorError, reason } from '../failure';
import type { PostgresClient } from '../postgres/client';

/** Long enough for goldens of gigabytes. Milliseconds. */
const toolTimeoutMs = 60 * 60_000;

/** The environment that leads pg_dump and pg_restore to a server: nothing of the caller's own settings or service file. */
function connection(postgres: PostgresClient, database: string): Record<string, string> {
  const [host = '', port = ''] = postgres.address.split(':');
  return {
    PGHOST: host,
    PGPORT: port,
    PGDATABASE: database,
    PGUSER: postgres.login.username,
    PGPASSWORD: postgres.login.password,
    PGAPPNAME: 'sandbox-acceptance',
    PGCONNECT_TIMEOUT: '10',
    PGSSLMODE: 'disable',
  };
}

/**
 * Dumps the `llx_*` objects in custom format, as of an exported snapshot when one is given.
 * @throws OperatorError with pg_dump's words.
 */
export async function dumpTables(
  postgres: PostgresClient,
  database: string,
  file: string,
  options: { snapshot?: string } = {},
): Promise<void> {
  const args = [
    '--format=custom',
    '--compress=1',
    '--no-owner',
    '--no-privileges',
    '--table=public.llx_*',
    `--file=${file}`,
  ];
  if (options.snapshot !== undefined) args.push(`--snapshot=${options.snapshot}`);
  await run('pg_dump', args, { env: connection(postgres, database), timeoutMs: toolTimeoutMs });
}

/**
 * Restores a dump into an existing database, in parallel, everything owned by `role`.
 * @throws OperatorError with pg_restore's words.
 */
export async function restoreTables(
  postgres: PostgresClient,
  database: string,
  file: string,
  options: { role: string; jobs: number; signal?: AbortSignal },
): Promise<void> {
  await run(
    'pg_restore',
    [
      '--no-owner',
      '--no-privileges',
      '--exit-on-error',
      `--role=${options.role}`,
      `--jobs=${options.jobs}`,
      `--dbname=${database}`,
      file,
    ],
    {
      env: connection(postgres, database),
      timeoutMs: toolTimeoutMs,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
}

/** The table of contents of a dump: what pg_restore would make. @throws OperatorError when it cannot be read. */
export async function listDump(file: string): Promise<{ entries: string[]; dumpedBy: string }> {
  try {
    const { stdout } = await run('pg_restore', ['--list', file]);
    const lines = stdout.split('\n');
    return {
      entries: lines.filter((line) => line !== '' && !line.startsWith(';')),
      dumpedBy: /Dumped by pg_dump version: (\S+)/.exec(stdout)?.[1] ?? 'unknown',
    };
  } catch (thrown) {
    const newer = /unsupported version/.test(reason(thrown));
    throw new OperatorError({
      attempted: 'read the golden’s table of contents',
      where: file,
      expected: 'a dump in custom format that this pg_restore can read',
      seen: newer ? 'a dump of a newer version' : reason(thrown).slice(0, 300),
      next: newer
        ? 'install the postgresql-client of the version that wrote it, or take the golden anew: `npm run erp -- golden`.'
        : 'take the golden anew: `npm run erp -- golden`.',
      cause: thrown,
    });
  }
}

/** The version of an installed tool, such as 15.14. */
export async function toolVersion(tool: 'pg_dump' | 'pg_restore'): Promise<string> {
  return /(\d+(\.\d+)?)/.exec((await run(tool, ['--version'])).stdout)?.[1] ?? 'unknown';
}

/** SHA-256 of a file, read piece by piece. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
