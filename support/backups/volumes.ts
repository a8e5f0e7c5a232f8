import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OperatorError } from '../failure';
import { compare, type Finding } from '../finding';
import type { BucketClient } from './client';

/** A storage's manifest of a backup, `backup_<name>.cfg` in Longhorn's layout. Bytes are text, as there. */
const manifestShape = z.looseObject({
  Name: z.string(),
  VolumeName: z.string(),
  SnapshotCreatedAt: z.string(),
  VolumeSize: z.string(),
  Labels: z.record(z.string(), z.string()).nullable(),
  Blocks: z.array(z.object({ Offset: z.number(), BlockChecksum: z.string() })).min(1),
});
export type VolumeManifest = z.infer<typeof manifestShape>;

/** Everything of volumes lies below it in the bucket. */
const home = 'backupstore/volumes/';

/** Where the backups of a volume lie: Longhorn spreads them by the SHA-512 of the volume's name. */
export function volumeFolder(volume: string): string {
  const layers = createHash('sha512').update(volume).digest('hex');
  return `${home}${layers.slice(0, 2)}/${layers.slice(2, 4)}/${volume}`;
}

export function manifestName({ VolumeName, Name }: Pick<VolumeManifest, 'VolumeName' | 'Name'>): string {
  return `${volumeFolder(VolumeName)}/backups/backup_${Name}.cfg`;
}

export function blockName(volume: string, sum: string): string {
  return `${volumeFolder(volume)}/blocks/${sum.slice(0, 2)}/${sum.slice(2, 4)}/${sum}.blk`;
}

/** A Volume with this in `spec.fromBackup` is filled from the backup. */
export function backupUrl(bucket: BucketClient, { VolumeName, Name }: VolumeManifest): string {
  return `gs://${bucket.bucket}/?backup=${Name}&volume=${VolumeName}`;
}

export function readVolumeManifest(content: Buffer): VolumeManifest {
  return manifestShape.parse(JSON.parse(content.toString('utf8')));
}

/** The manifests of all backups of a volume, the oldest first. */
export async function volumeManifests(bucket: BucketClient, volume: string): Promise<VolumeManifest[]> {
  const names = await bucket.list(`${volumeFolder(volume)}/backups/`);
  const found = await Promise.all(names.map(async ({ name }) => readVolumeManifest(await bucket.get(name))));
  return found.sort((one, other) => one.SnapshotCreatedAt.localeCompare(other.SnapshotCreatedAt));
}

/** The newest backup of a volume. @throws OperatorError when there is none. */
export async function newestOf(bucket: BucketClient, volume: string): Promise<VolumeManifest> {
  const newest = (await volumeManifests(bucket, volume)).at(-1);
  if (newest !== undefined) return newest;
  throw new OperatorError({
    attempted: `find a backup of volume ${volume}`,
    where: `${bucket.bucket}/${volumeFolder(volume)}`,
    expected: 'a manifest backups/backup_*.cfg',
    seen: 'none',
    next: 'look at the service backup-volumes on pi1: npm run lab -- logs pi1 backup-volumes',
  });
}

/** Whether a volume's blocks are what its manifest says, each read in full and one after another. */
export async function probeBlocks(bucket: BucketClient, manifest: VolumeManifest): Promise<Finding> {
  const wrong: string[] = [];
  const sums = new Set(manifest.Blocks.map(({ BlockChecksum }) => BlockChecksum));
  for (const sum of sums) {
    const seen = await bucket.get(blockName(manifest.VolumeName, sum)).then(
      (content) => createHash('sha256').update(content).digest('hex'),
      () => 'missing',
    );
    if (seen !== sum) wrong.push(`${sum}: ${seen}`);
  }
  return {
    subject: `blocks of ${manifest.Name} of volume ${manifest.VolumeName}`,
    status: wrong.length === 0 ? 'met' : 'unmet',
    expected: `${sums.size} blocks, each with the SHA-256 it is called by`,
    actual: wrong.length === 0 ? `${sums.size} such blocks` : `${wrong.length} others: ${wrong.slice(0, 3).join('; ')}`,
    source: manifestName(manifest),
  };
}

/** What a volume's folder holds, by names alone. */
export interface VolumeContents {
  volume: string;
  /** Of every backup its name and the names of its blocks. */
  backups: { name: string; blocks: string[] }[];
  blocks: string[];
}

/** What lies in the bucket of every volume. */
export async function volumeContents(bucket: BucketClient): Promise<VolumeContents[]> {
  const volumes = new Map<string, VolumeContents>();
  for (const { name } of await bucket.list(home)) {
    const [, , volume = '', kind] = name.slice(home.length).split('/');
    const of = volumes.get(volume) ?? { volume, backups: [], blocks: [] };
    volumes.set(volume, of);
    if (kind === 'blocks') of.blocks.push(name);
    if (kind !== 'backups') continue;
    const { Name, Blocks } = readVolumeManifest(await bucket.get(name));
    of.backups.push({ name: Name, blocks: Blocks.map(({ BlockChecksum }) => blockName(volume, BlockChecksum)) });
  }
  return [...volumes.values()];
}

/** Whether of each volume at most so many backups are kept, with every block they need and no other. */
export function judgeKept(contents: readonly VolumeContents[], most: number): Finding[] {
  return contents.map(({ volume, backups, blocks }) => {
    const needed = new Set(backups.flatMap((one) => one.blocks));
    const there = new Set(blocks);
    const lacks = [...needed].filter((name) => !there.has(name));
    const unused = blocks.filter((name) => !needed.has(name));
    const troubles = [
      ...(backups.length > most ? [`${backups.length} backups`] : []),
      ...(lacks.length > 0 ? [`lacks ${lacks.length} of ${needed.size} blocks, such as ${lacks[0]}`] : []),
      ...(unused.length > 0 ? [`${unused.length} blocks that no backup needs, such as ${unused[0]}`] : []),
    ];
    const expected = `at most ${most} backups, with every block they need and no other`;
    return compare(`backups of volume ${volume}`, expected, troubles.join('; ') || expected, volumeFolder(volume));
  });
}

/** Puts a copy of a backup into the bucket as that of another volume, which nothing shares. @returns its manifest. */
export async function copyBackup(
  bucket: BucketClient,
  original: VolumeManifest,
  volume: string,
): Promise<VolumeManifest> {
  for (const sum of new Set(original.Blocks.map(({ BlockChecksum }) => BlockChecksum))) {
    await bucket.put(blockName(volume, sum), await bucket.get(blockName(original.VolumeName, sum)));
  }
  const copy = { ...original, VolumeName: volume, Labels: {} };
  await bucket.put(manifestName(copy), Buffer.from(JSON.stringify(copy)));
  return copy;
}

/** Changes a byte of a backup's last block in the bucket. @returns the checksum the block had. */
export async function changeBlock(bucket: BucketClient, { VolumeName, Blocks }: VolumeManifest): Promise<string> {
  const sum = Blocks.at(-1)?.BlockChecksum ?? '';
  const content = await bucket.get(blockName(VolumeName, sum));
  content[0] = (content[0] ?? 0) ^ 0xff;
  await bucket.put(blockName(VolumeName, sum), content);
  return sum;
}

/** Removes everything that lies in the bucket of a volume. */
export async function removeVolumeFolder(bucket: BucketClient, volume: string): Promise<void> {
  for (const { name } of await bucket.list(`${volumeFolder(volume)}/`)) await bucket.delete(name);
}
