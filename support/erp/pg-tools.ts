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
 * @throws OperatorError with pg_restore's words, and what they mean where that is known.
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
  ).catch((thrown: unknown) => {
    throw understood(thrown, postgres, database);
  });
}

/** What makes a restore fail that an operator can mend, by pg_restore's words. */
const causes = [
  {
    words: /No space left on device|could not extend file|Check free disk space/,
    seen: () => 'the disk of Postgres is full',
    next: 'make room on the machine of Postgres (`npm run lab -- ssh pi2 df -h`).',
  },
  {
    words: /authentication failed|role "[^"]*" does not exist|permission denied to set role|must be member of role/,
    seen: (user: string) => `the lease of ${user} has ended: Postgres does not know the user any more`,
    next: 'look at the leases and their time to live (`postgres/roles/erp-sandbox` in Vault); the next run takes a new one.',
  },
];

function understood(thrown: unknown, postgres: PostgresClient, database: string): unknown {
  const words = reason(thrown);
  const cause = causes.find((one) => one.words.test(words));
  if (cause === undefined) return thrown;
  return new OperatorError({
    attempted: 'restore the golden',
    where: database,
    seen: `${cause.seen(postgres.login.username)} (${/pg_restore: error: ([^|]{0,200})/.exec(words)?.[1]?.trim() ?? 'pg_restore failed'})`,
    next: cause.next,
    cause: thrown,
  });
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
