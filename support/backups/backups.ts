import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OperatorError } from '../failure';
import { compare, type Finding } from '../finding';
import type { Target } from '../target';
import { readInventory } from '../inventory';
import { defineUndo } from '../undo';
import { connectBackupBucket, type BucketClient } from './client';

/** What is backed up, and the inventory group of the machine whose schedule does it (playbook backups.yml). */
const homes = { postgres: 'postgres', etcd: 'k3s_server', vault: 'k3s_server' } as const;
export type BackupKind = keyof typeof homes;
export const backupKinds = Object.keys(homes) as BackupKind[];

/** How many backups of a kind are kept (playbook backups.yml). */
export const backupsKept = 8;

const manifestShape = z.object({
  what: z.string(),
  taken: z.iso.datetime(),
  objects: z.record(
    z.string(),
    z.object({
      size: z.number(),
      sha256: z.string(),
      database: z.string().optional(),
      owner: z.string().optional(),
      content_sha256: z.string().optional(),
    }),
  ),
});
export type BackupManifest = z.infer<typeof manifestShape>;

/**
 * Makes one backup now, with the program of the schedule, on the machine that holds the data.
 * @returns its folder in the bucket.
 * @throws OperatorError when the program fails or names no folder.
 */
export async function makeBackup(target: Target, what: BackupKind): Promise<string> {
  const group: string = homes[what];
  const machine = target.inventory.machines.find(({ groups }) => groups.includes(group));
  const command = ['/usr/local/bin/sandbox-backup', what];
  const { stdout } = await target.onMachine(machine?.name ?? `a machine of group ${group}`, command);
  const folder = /^(\S+): \d+ objects$/m.exec(stdout)?.[1];
  if (folder !== undefined) return folder;
  throw new OperatorError({
    attempted: `make a backup of ${what} with \`${command.join(' ')}\``,
    expected: 'a line with its folder in the bucket',
    seen: stdout.trim() || 'no output',
    next: 'run the same command on the machine by hand and read what it says.',
  });
}

/** The manifest of a backup. @throws ProductError when there is none. */
export async function readManifest(bucket: BucketClient, folder: string): Promise<BackupManifest> {
  return manifestShape.parse(JSON.parse((await bucket.get(`${folder}/manifest.json`)).toString('utf8')));
}

/** Whether each object of a backup is as its manifest says, and nothing else lies beside them. */
export async function probeBackupWhole(bucket: BucketClient, folder: string): Promise<Finding[]> {
  const { objects } = await readManifest(bucket, folder);
  const named = Object.entries(objects);
  const lies = (await bucket.list(`${folder}/`))
    .map(({ name }) => name)
    .filter((name) => !name.endsWith('/manifest.json'));
  const expected = named.map(([name]) => `${folder}/${name}`).sort();
  const contents = await Promise.all(
    named.map(async ([name, { size, sha256 }]) => {
      const content = await bucket.get(`${folder}/${name}`);
      const seen = `${content.length} bytes, ${createHash('sha256').update(content).digest('hex')}`;
      return compare(`${folder}/${name}`, `${size} bytes, ${sha256}`, seen, `${folder}/manifest.json and the bucket`);
    }),
  );
  return [compare(`objects of ${folder}`, expected.join(', '), lies.sort().join(', '), 'the bucket'), ...contents];
}

/** Folders as old backups leave them, older than any real one, so that those are kept. */
const ancient = Array.from({ length: 10 }, (_, second) => `1970-01-01T00:00:0${second}Z`);

/** Puts ten empty backups of 1970 into the bucket. */
export async function putAncientBackups(bucket: BucketClient, what: BackupKind): Promise<void> {
  for (const taken of ancient) {
    const manifest: BackupManifest = { what, taken, objects: {} };
    await bucket.put(`${what}/${taken}/manifest.json`, Buffer.from(JSON.stringify(manifest)));
  }
}

/** Takes what is left of them away, also in the next run when this one died. */
export const ancientGone = defineUndo({
  name: 'ancient-backups-gone',
  args: z.object({ what: z.enum(backupKinds) }),
  needs: ['depot'],
  run: async ({ what }) => {
    const bucket = connectBackupBucket(readInventory());
    for (const taken of ancient) await bucket.delete(`${what}/${taken}/manifest.json`);
  },
});

/** Whether old backups are removed. */
export async function probeRetention(bucket: BucketClient, what: BackupKind): Promise<Finding> {
  const folders = new Set((await bucket.list(`${what}/`)).map(({ name }) => name.split('/').slice(0, 2).join('/')));
  return {
    subject: `backups of ${what}`,
    status: folders.size <= backupsKept ? 'met' : 'unmet',
    expected: `at most ${backupsKept}`,
    actual: String(folders.size),
    source: `folders under ${what}/ in the bucket`,
  };
}
