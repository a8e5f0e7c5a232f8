import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import { probeManifestLast } from '../../support/backups/backups';
import { BucketClient, type BucketObject } from '../../support/backups/client';
import {
  backupUrl,
  blockName,
  changeBlock,
  copyBackup,
  judgeKept,
  manifestName,
  newestOf,
  probeBlocks,
  volumeContents,
  volumeFolder,
  type VolumeManifest,
} from '../../support/backups/volumes';
import { judgeSameFiles } from '../../support/storage/probes';

/** A bucket in memory. Every object is a microsecond younger than the one put before. */
class MemoryBucket extends BucketClient {
  private readonly objects = new Map<string, { content: Buffer; updated: string }>();
  private puts = 0;

  constructor() {
    super('http://10.77.0.10:4443', 'sandbox-backups');
  }

  override list(prefix = ''): Promise<BucketObject[]> {
    const found = [...this.objects].filter(([name]) => name.startsWith(prefix)).sort();
    return Promise.resolve(found.map(([name, { content, updated }]) => ({ name, size: content.length, updated })));
  }

  override get(name: string): Promise<Buffer> {
    const found = this.objects.get(name);
    return found === undefined ? Promise.reject(new Error(`no ${name}`)) : Promise.resolve(Buffer.from(found.content));
  }

  override put(name: string, content: Buffer): Promise<void> {
    this.puts += 1;
    // As the bucket writes times: without zeros at the end.
    const fraction = `.${String(this.puts).padStart(6, '0')}`.replace(/\.?0+$/, '');
    this.objects.set(name, { content, updated: `2026-01-01T00:00:00${fraction}Z` });
    return Promise.resolve();
  }

  override delete(name: string): Promise<void> {
    this.objects.delete(name);
    return Promise.resolve();
  }
}

const sumOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

async function backUp(bucket: BucketClient, name: string, ...texts: string[]): Promise<VolumeManifest> {
  const blocks = texts.map((text) => Buffer.from(text));
  const manifest: VolumeManifest = {
    Name: name,
    VolumeName: 'data',
    SnapshotCreatedAt: `2026-01-01T00:00:0${name.length}.000Z`,
    VolumeSize: '1048576',
    Labels: null,
    Blocks: blocks.map((content, index) => ({ Offset: index * 262144, BlockChecksum: sumOf(content) })),
  };
  for (const content of blocks) await bucket.put(blockName('data', sumOf(content)), content);
  await bucket.put(manifestName(manifest), Buffer.from(JSON.stringify(manifest)));
  return manifest;
}

void it('lays a volume out where the storage does', () => {
  // printf data | sha512sum
  equal(volumeFolder('data'), 'backupstore/volumes/77/c7/data');
});

void it('finds the newest backup of a volume, and says where to look when there is none', async () => {
  const bucket = new MemoryBucket();
  await rejects(newestOf(bucket, 'data'), /backup-volumes/);
  await backUp(bucket, 'second', 'a');
  await backUp(bucket, 'one', 'a');
  const newest = await newestOf(bucket, 'data');
  equal(newest.Name, 'second');
  equal(backupUrl(bucket, newest), 'gs://sandbox-backups/?backup=second&volume=data');
});

void it('sees a block that is missing and one that is not what it is called', async () => {
  const bucket = new MemoryBucket();
  const manifest = await backUp(bucket, 'one', 'a', 'b', 'c');
  equal((await probeBlocks(bucket, manifest)).status, 'met');
  await bucket.delete(blockName('data', sumOf(Buffer.from('a'))));
  await changeBlock(bucket, manifest);
  const found = await probeBlocks(bucket, manifest);
  equal(found.status, 'unmet');
  match(found.actual, /^2 others: \w+: missing; \w+: \w+$/);
});

void it('changes a copy of a backup and leaves the backup alone', async () => {
  const bucket = new MemoryBucket();
  const original = await backUp(bucket, 'one', 'a', 'b');
  const copy = await copyBackup(bucket, original, 'copy-1');
  equal(await changeBlock(bucket, copy), sumOf(Buffer.from('b')));
  equal((await probeBlocks(bucket, original)).status, 'met');
  equal((await probeBlocks(bucket, copy)).status, 'unmet');
});

void it('wants few backups, with every block they need and no other', async () => {
  const bucket = new MemoryBucket();
  await backUp(bucket, 'one', 'a', 'b');
  await backUp(bucket, 'two', 'b', 'c');
  const judged = async (most: number): Promise<string> =>
    judgeKept(await volumeContents(bucket), most)[0]?.actual ?? '';
  match(await judged(2), /^at most 2/);
  match(await judged(1), /^2 backups$/);
  await bucket.delete(blockName('data', sumOf(Buffer.from('b'))));
  match(await judged(2), /^lacks 1 of 3 blocks/);
  await backUp(bucket, 'two', 'b');
  match(await judged(2), /^1 blocks that no backup needs/);
});

void it('sees an object that is younger than the manifest that names it', async () => {
  const bucket = new MemoryBucket();
  const manifest = await backUp(bucket, 'one', 'a', 'b');
  const content = await bucket.get(manifestName(manifest));
  await bucket.put('volumes/t/data.cfg', content);
  const objects = { 'data.cfg': { size: content.length, sha256: sumOf(content), manifest: manifestName(manifest) } };
  const run = JSON.stringify({ what: 'volumes', taken: '2026-01-01T00:00:00Z', objects });
  await bucket.put('volumes/t/manifest.json', Buffer.from(run));
  const statuses = async (): Promise<string[]> =>
    (await probeManifestLast(bucket, 'volumes/t')).map(({ status }) => status);
  deepEqual(await statuses(), ['met', 'met']);
  await bucket.put(blockName('data', sumOf(Buffer.from('a'))), Buffer.from('a'));
  deepEqual(await statuses(), ['met', 'unmet']);
  await bucket.put('volumes/t/data.cfg', content);
  deepEqual(await statuses(), ['unmet', 'unmet']);
});

void it('tells the files of two volumes apart by path, size and content', () => {
  const one = { path: 'a', bytes: 1, sha256: 'x' };
  equal(judgeSameFiles([one], [one]).status, 'met');
  equal(judgeSameFiles([], []).status, 'unmet');
  match(judgeSameFiles([one], [{ ...one, sha256: 'y' }]).actual, /^2 others: lacks a 1 x; has besides a 1 y$/);
});
