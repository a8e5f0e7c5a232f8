import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { escapeIdentifier } from 'pg';
import { z } from 'zod';
import { run } from '../../command';
import { compare, type Finding } from '../../finding';
import { PostgresClient } from '../../postgres/client';
import { startScratchPostgres, type ScratchPostgres } from '../../postgres/scratch';
import type { ScratchServers } from '../../scratch-servers';
import { readManifest, type BackupManifest } from '../backups';
import type { BucketClient } from '../client';

/** A Postgres that holds what a backup held. */
export interface RestoredPostgres {
  server: ScratchPostgres;
  client: PostgresClient;
  manifest: BackupManifest;
}

const toolTimeoutMs = 10 * 60_000;

/** Restores every database of a backup into an empty Postgres. @throws OperatorError with pg_restore's words. */
export async function restorePostgres(
  servers: ScratchServers,
  bucket: BucketClient,
  folder: string,
): Promise<RestoredPostgres> {
  const manifest = await readManifest(bucket, folder);
  const server = await startScratchPostgres(servers);
  const databases = Object.entries(manifest.objects).flatMap(([name, { database, owner }]) =>
    database === undefined || owner === undefined ? [] : [{ name, database, owner }],
  );
  const client = new PostgresClient(`127.0.0.1:${server.port}`, server.login);
  await client.connected('postgres', async (connection) => {
    for (const owner of new Set(databases.map((one) => one.owner))) {
      if (owner !== server.login.username) await connection.execute(`create role ${escapeIdentifier(owner)}`);
    }
    for (const { database, owner } of databases) {
      const [name, role] = [escapeIdentifier(database), escapeIdentifier(owner)];
      await connection.execute(`create database ${name} owner ${role} template template0`);
    }
  });
  for (const { name, database } of databases) {
    const file = join(servers.folder, name);
    await bucket.getFile(`${folder}/${name}`, file);
    // Who may do what is of the roles of the cluster, which are not part of a database's backup.
    const args = ['--no-owner', '--no-privileges', '--exit-on-error', '--dbname', database, file];
    await run('pg_restore', args, { env: connection(server), timeoutMs: toolTimeoutMs });
  }
  return { server, client, manifest };
}

/** Whether each restored database has the content that the manifest says. */
export function probeContents(servers: ScratchServers, { server, manifest }: RestoredPostgres): Promise<Finding[]> {
  return Promise.all(
    Object.values(manifest.objects).map(async ({ database = 'no database', content_sha256: expected = 'no hash' }) => {
      const again = join(servers.folder, `${database}.again`);
      await run('pg_dump', ['-Fc', '-f', again, database], { env: connection(server), timeoutMs: toolTimeoutMs });
      return compare(`content of ${database}`, expected, await contentHash(again), 'the dump of the restored database');
    }),
  );
}

/** SHA-256 of a dump's data as SQL, as sandbox-backup computes it: without comments and pg_restore's random words. */
async function contentHash(dump: string): Promise<string> {
  const { stdout } = await run('pg_restore', ['--data-only', '-f', '-', dump], { timeoutMs: toolTimeoutMs });
  const lines = stdout.split('\n').filter((line) => line !== '' && !/^(?:--|\\(?:un)?restrict )/.test(line));
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** Whether the ERP's restored tables have as many rows as the live ones, which nobody writes to meanwhile. */
export async function probeSameRows(
  live: PostgresClient,
  { client }: RestoredPostgres,
  database: string,
): Promise<Finding[]> {
  const [now, then] = await Promise.all([countRows(live, database), countRows(client, database)]);
  const source = `count(*) of every table of ${database}, live and restored`;
  return [
    compare(`tables of ${database}`, [...now.keys()].join(', ') || 'some', [...then.keys()].join(', '), source),
    ...[...now].map(([table, rows]) => compare(table, `${rows} rows`, `${then.get(table) ?? 'no'} rows`, source)),
  ];
}

async function countRows(client: PostgresClient, database: string): Promise<Map<string, number>> {
  const sql = `select table_name as table, (xpath('/row/count/text()', query_to_xml(
      format('select count(*) from %I.%I', table_schema, table_name), false, true, '')))[1]::text::int as rows
    from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' and table_name like 'llx\\_%' order by 1`;
  const counted = await client.rows(database, sql, [], z.object({ table: z.string(), rows: z.number() }));
  return new Map(counted.map(({ table, rows }) => [table, rows]));
}

function connection({ socket, port }: ScratchPostgres): Record<string, string> {
  return { PGHOST: socket, PGPORT: String(port), PGUSER: 'postgres' };
}
