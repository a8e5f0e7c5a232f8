import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OperatorError } from '../failure';
import { compare, type Finding } from '../finding';
import type { Target } from '../target';
import type { BucketClient } from './client';
import { blockName, probeBlocks, readVolumeManifest } from './volumes';

/** What is backed up, and the inventory group of the machine whose schedule does it (playbook backups.yml). */
const homes = { postgres: 'postgres', etcd: 'k3s_server', vault: 'k3s_server', volumes: 'k3s_server' } as const;
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
      /** Of a volume: where in the bucket the storage has the manifest that the object is a copy of. */
      manifest: z.string().optional(),
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

/**
 * Whether each object of a backup is as its manifest says, and nothing else lies beside them. Of volumes also whether the
 * storage's own manifest is the same, and every block as that says.
 */
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
  const volumes = await Promise.all(
    named.flatMap(([name, { manifest }]) =>
      manifest === undefined ? [] : [probeVolume(bucket, manifest, `${folder}/${name}`)],
    ),
  );
  const whole = compare(`objects of ${folder}`, expected.join(', '), lies.sort().join(', '), 'the bucket');
  return [whole, ...contents, ...volumes.flat()];
}

async function probeVolume(bucket: BucketClient, manifest: string, copy: string): Promise<Finding[]> {
  const [own, copied] = await Promise.all([bucket.get(manifest), bucket.get(copy)]);
  const same = own.equals(copied) ? `as ${copy}` : `another than ${copy}`;
  return [compare(manifest, `as ${copy}`, same, 'the bucket'), await probeBlocks(bucket, readVolumeManifest(own))];
}

/**
 * Whether a backup's manifest is the youngest of its objects: until it was there, they were no backup. So is the storage's own
 * manifest of a volume among its blocks.
 */
export async function probeManifestLast(bucket: BucketClient, folder: string): Promise<Finding[]> {
  const { objects } = await readManifest(bucket, folder);
  const own = await probeYoungest(bucket, `${folder}/manifest.json`, `${folder}/`, () => true);
  const volumes = Object.values(objects).map(async ({ manifest }) => {
    if (manifest === undefined) return [];
    const { VolumeName, Blocks } = readVolumeManifest(await bucket.get(manifest));
    const blocks = new Set(Blocks.map(({ BlockChecksum }) => blockName(VolumeName, BlockChecksum)));
    const beside = `${manifest.split('/backups/')[0]}/`;
    return [await probeYoungest(bucket, manifest, beside, (name) => blocks.has(name))];
  });
  return [own, ...(await Promise.all(volumes)).flat()];
}

async function probeYoungest(
  bucket: BucketClient,
  manifest: string,
  below: string,
  its: (name: string) => boolean,
): Promise<Finding> {
  const objects = await bucket.list(below);
  // Without the zone the shorter of two fractions of a second that begin alike is the smaller one.
  const at = new Map(objects.map(({ name, updated }) => [name, updated.replace(/(Z|[+-]\d\d:\d\d)$/, '')]));
  const written = at.get(manifest) ?? '';
  const later = [...at].filter(([name, when]) => its(name) && when > written).map(([name, when]) => `${name} ${when}`);
  return {
    subject: manifest,
    status: later.length === 0 && written !== '' ? 'met' : 'unmet',
    expected: 'younger than all it names',
    actual: later.length === 0 ? `written ${written}` : `written ${written}, before ${later.join(', ')}`,
    source: 'the time at which the bucket took each object in',
  };
}

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
