import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { connectBackupBucket, type BucketClient } from '../backups/client';
import { OperatorError, reason } from '../failure';
import type { Systems } from '../systems';
import { contentShape, differences, hashContent, totalOf, type Content } from './content-hash';
import { withLease } from './credentials';
import { goldenCredentialsPath, production, tablePrefix } from './instances';
import { dumpTables, listDump, sha256Of, toolVersion } from './pg-tools';

const folder = 'erp/golden/';

/** What lies beside a golden's dump in the bucket. */
export const manifestShape = z.object({
  /** 2: rows are hashed column by column; 1 hashed what Postgres wrote of them. */
  format: z.literal(2),
  name: z.string().regex(/^[\w.-]+$/),
  source: z.object({ instance: z.string(), database: z.string(), postgres: z.string() }),
  /** ISO 8601. */
  taken: z.string(),
  dump: z.object({ object: z.string(), bytes: z.number().positive(), sha256: z.string(), pgDump: z.string() }),
  content: contentShape,
});
export type GoldenManifest = z.infer<typeof manifestShape>;

/** A golden on this machine's disk, checked against its manifest. */
export interface Golden {
  manifest: GoldenManifest;
  file: string;
}

/**
 * Takes the golden: hashes and dumps production's `llx_*` in one snapshot, with credentials that can only read, and keeps
 * both in the backup bucket.
 * @throws OperatorError when production holds nothing.
 */
export async function takeGolden(systems: Systems, say: (line: string) => void): Promise<GoldenManifest> {
  const scratch = mkdtempSync(join(tmpdir(), 'golden-'));
  const file = join(scratch, 'golden.dump');
  try {
    return await withLease(systems.vault, systems.inventory, goldenCredentialsPath, async (postgres) => {
      say(`reading ${production.instance} as ${postgres.login.username}`);
      const content = await hashContent(postgres, production.instance, {
        withSnapshot: (snapshot) => dumpTables(postgres, production.instance, file, { snapshot }),
      });
      assertHolds(content);
      const [version] = await postgres.rows(
        production.instance,
        "select current_setting('server_version') as version",
        [],
        z.object({ version: z.string() }),
      );
      const taken = new Date().toISOString();
      const name = `${taken.replaceAll(/[:.]/g, '-')}-${content.total.slice(0, 12)}`;
      const manifest: GoldenManifest = {
        format: 2,
        name,
        source: { instance: production.instance, database: production.instance, postgres: version?.version ?? '' },
        taken,
        dump: {
          object: `${folder}${name}.dump`,
          bytes: statSync(file).size,
          sha256: await sha256Of(file),
          pgDump: await toolVersion('pg_dump'),
        },
        content,
      };
      await assertScoped(file, content);
      const bucket = connectBackupBucket(systems.inventory);
      say(`keeping ${manifest.dump.bytes} bytes as ${name}`);
      await bucket.putFile(manifest.dump.object, file);
      // The manifest comes last: a golden without one does not exist.
      await bucket.put(`${folder}${name}.json`, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
      return manifest;
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function assertHolds(content: Content): void {
  const rows = Object.values(content.tables).reduce((sum, table) => sum + Number(table.rows), 0);
  if (rows > 0) return;
  throw new OperatorError({
    attempted: 'take the golden',
    where: production.instance,
    expected: `tables ${tablePrefix}* with rows`,
    seen: `${Object.keys(content.tables).length} tables without a row`,
    next: 'look whether the ERP is installed there: `npm run erp -- status`.',
  });
}

/** Names of the goldens in the bucket, oldest first. */
export async function listGoldens(bucket: BucketClient): Promise<string[]> {
  const objects = await bucket.list(folder);
  return objects.flatMap(({ name }) => (name.endsWith('.json') ? [name.slice(folder.length, -'.json'.length)] : []));
}

/**
 * Fetches a golden and checks everything about it that can be checked before anything is destroyed.
 * @param name of the golden; the newest without.
 * @param scratch folder to put it in.
 * @throws OperatorError saying what is wrong with it.
 */
export async function fetchGolden(systems: Systems, scratch: string, name?: string): Promise<Golden> {
  const bucket = connectBackupBucket(systems.inventory);
  const names = await listGoldens(bucket).catch((thrown: unknown) => {
    throw new OperatorError({
      attempted: 'look for the golden',
      where: `bucket ${bucket.bucket} at ${bucket.endpoint}`,
      seen: reason(thrown),
      next: 'bring the bucket back: `npm run lab -- status` says where it runs.',
      cause: thrown,
    });
  });
  const wanted = name ?? names.at(-1);
  if (wanted === undefined || !names.includes(wanted)) {
    throw new OperatorError({
      attempted: 'find the golden',
      where: `bucket ${bucket.bucket}`,
      expected: wanted ?? 'at least one',
      seen: names.length === 0 ? 'none' : names.slice(-3).join(', '),
      next: 'take one with `npm run erp -- golden`, or choose one of `npm run erp -- goldens`: `npm run reset -- --from NAME`.',
      exitCode: 2,
    });
  }
  const manifest = readManifest(wanted, await bucket.get(`${folder}${wanted}.json`));
  const file = join(scratch, 'golden.dump');
  const sha256 = await bucket.getFile(manifest.dump.object, file).catch((thrown: unknown) => {
    throw unusable(wanted, 'its dump', reason(thrown), thrown);
  });
  const bytes = statSync(file).size;
  if (bytes !== manifest.dump.bytes) throw unusable(wanted, `${manifest.dump.bytes} bytes`, `${bytes} bytes`);
  if (sha256 !== manifest.dump.sha256) throw unusable(wanted, `SHA-256 ${manifest.dump.sha256}`, sha256);
  await assertScoped(file, manifest.content);
  return { manifest, file };
}

function readManifest(name: string, text: Buffer): GoldenManifest {
  let manifest: GoldenManifest;
  try {
    manifest = manifestShape.parse(JSON.parse(text.toString('utf8')));
  } catch (thrown) {
    const issue = thrown instanceof z.ZodError ? thrown.issues[0] : undefined;
    throw unusable(
      name,
      'a manifest of format 2',
      issue ? `${issue.path.join('.')}: ${issue.message}` : reason(thrown),
      thrown,
    );
  }
  const total = totalOf(manifest.content);
  if (total !== manifest.content.total)
    throw unusable(name, `the hash ${manifest.content.total}`, `parts that give ${total}`);
  if (Object.keys(manifest.content.tables).length === 0) throw unusable(name, 'tables', 'none: it is empty');
  return manifest;
}

/** A dump makes the tables of its manifest, and nothing that is not the app's own (ADR-0003, section 2). */
async function assertScoped(file: string, content: Content): Promise<void> {
  const { entries } = await listDump(file);
  const made = entries
    .map((line) => /^\d+; \d+ \d+ (.+?) (?:public|-) (\S+)/.exec(line))
    .filter((match) => match !== null);
  const foreign = made
    // An index is named freely and belongs to a table, which is looked at itself.
    .filter((match) => match[1] !== 'INDEX' && !(match[2] ?? '').startsWith(tablePrefix))
    .map((match) => `${match[1]} ${match[2]}`);
  if (foreign.length > 0) throw unusable(file, `nothing but ${tablePrefix}*`, foreign.slice(0, 3).join(', '));
  const tables = made.filter((match) => match[1] === 'TABLE').map((match) => match[2] ?? '');
  const lacking = Object.keys(content.tables).filter((table) => !tables.includes(table));
  const extra = tables.filter((table) => content.tables[table] === undefined);
  if (lacking.length + extra.length > 0) {
    throw unusable(
      file,
      'the tables of its manifest',
      `lacking: ${lacking.join(', ') || 'none'}; besides: ${extra.join(', ') || 'none'}`,
    );
  }
}

function unusable(name: string, expected: string, seen: string, cause?: unknown): OperatorError {
  return new OperatorError({
    attempted: 'use the golden',
    where: name,
    expected,
    seen: seen.slice(0, 300),
    next: 'nothing was changed. Choose one of `npm run erp -- goldens`, or take one anew with `npm run erp -- golden`: `npm run reset -- --from NAME`.',
    cause,
  });
}

/** Whether two contents are the same, and where not, in a few words. */
export function comparison(expected: Content, actual: Content): string {
  const parts = differences(expected, actual);
  if (parts.length === 0) return 'the same';
  return `differs in ${parts.slice(0, 6).join(', ')}${parts.length > 6 ? ` and ${parts.length - 6} more` : ''}`;
}
