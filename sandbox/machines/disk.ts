import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { run } from '../../support/command';
import { OperatorError } from '../../support/failure';
import { labHome, timeInName } from '../../support/paths';
import { diskImage, diskImageAside, diskMount, machinesHome, snapshotsHome } from './layout';
import { until } from './until';

const GiB = 1024 ** 3;

/** Size of the sparse image: what the machines may write, not what it takes. */
const imageBytes = 40 * GiB;

/** Free space below which no lab is begun: three machines with images unpacked, and one snapshot's difference. */
export const freeBytesNeeded = 12 * GiB;

/** True while the lab's disk is mounted in this mount namespace. @param at where, links and all; the kernel says it without them. */
export function diskMounted(
  mountinfo: string = readFileSync('/proc/self/mountinfo', 'utf8'),
  at: string = diskMount,
): boolean {
  const place = existsSync(at) ? realpathSync(at) : at;
  return mountinfo.split('\n').some((line) => unescaped(line.split(' ')[4] ?? '') === place);
}

/** A path of mountinfo as it is: blanks and the like stand there in octal (proc(5)). */
function unescaped(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/**
 * Mounts the lab's disk, making it first where there is none. An image that cannot be mounted (a host that crashed while it
 * was written) is set aside and another one made: what `lab up` makes it can make again, but not a snapshot of the operator's.
 * @returns whether the disk is new and empty.
 */
export async function ensureDisk(say: (line: string) => void): Promise<{ fresh: boolean }> {
  mkdirSync(labHome, { recursive: true, mode: 0o700 });
  if (diskMounted()) return { fresh: false };
  mkdirSync(diskMount, { recursive: true });
  if (existsSync(diskImage)) {
    if (await mountDisk()) return { fresh: false };
    const aside = `${diskImageAside}${timeInName(new Date().toISOString())}`;
    say(
      `${diskImage} cannot be mounted (did the host crash?): making another; it lies in ${aside} until \`lab down --purge\``,
    );
    renameSync(diskImage, aside);
    return makeDisk().catch(async (thrown: unknown) => {
      // Where no disk can be mounted at all the fault is not that of the image.
      await detachDisk();
      renameSync(aside, diskImage);
      throw thrown;
    });
  }
  return makeDisk();
}

async function makeDisk(): Promise<{ fresh: true }> {
  assertSpace();
  // Formatted under another name: a kill in between leaves no image that looks whole.
  const draft = `${diskImage}.new`;
  writeFileSync(draft, '', { mode: 0o600 });
  truncateSync(draft, imageBytes);
  await run('mkfs.btrfs', [
    '--quiet',
    '--force',
    '--label',
    'sandbox-lab',
    '--metadata',
    'single',
    '--data',
    'single',
    draft,
  ]);
  await run('mv', [draft, diskImage]);
  if (!(await mountDisk()))
    throw new OperatorError({
      attempted: "mount the lab's new disk",
      where: diskImage,
      expected: 'a kernel with btrfs and loop devices',
      next: 'run `npm run lab -- doctor`.',
    });
  return { fresh: true };
}

/** What mount(8) ends with when it could not mount; everything else says nothing of the image. */
const mountFailed = 32;

/** @returns false when there is no file system in the image that can be mounted. */
async function mountDisk(): Promise<boolean> {
  const mounted = await run('mount', ['-t', 'btrfs', '-o', 'loop,noatime,discard=async', diskImage, diskMount], {
    allowFailure: true,
  });
  if (mounted.exitCode === mountFailed && !diskMounted()) return false;
  if (mounted.exitCode !== 0)
    throw new OperatorError({
      attempted: "mount the lab's disk",
      where: diskImage,
      seen: mounted.stderr.trim() || `mount ended with ${mounted.exitCode}: interrupted, or out of time`,
      next: 'run the same command again; nothing was changed.',
    });
  const device = (await loopDevices())[0];
  // Without the page cache of the image's own file system: the machines' files are cached once, not twice.
  if (device) await run('losetup', ['--direct-io=on', device], { allowFailure: true });
  if (!existsSync(snapshotsHome)) mkdirSync(snapshotsHome);
  if (!existsSync(machinesHome)) await run('btrfs', ['subvolume', 'create', machinesHome]);
  return true;
}

function assertSpace(): void {
  let folder = labHome;
  while (!existsSync(folder)) folder = dirname(folder);
  const free = freeBytes(folder);
  if (free >= freeBytesNeeded) return;
  throw new OperatorError({
    attempted: "make the lab's disk",
    where: labHome,
    expected: `${freeBytesNeeded / GiB} GiB free`,
    seen: `${(free / GiB).toFixed(1)} GiB`,
    next: 'free some space (`npm run lab -- down --purge` removes an older disk with its snapshots), or set LAB_HOME to a folder on a larger disk, and run the same command again.',
  });
}

/** Bytes that root may still write in the file system of `folder`. */
export function freeBytes(folder: string): number {
  const stat = statfsSync(folder);
  return stat.bavail * stat.bsize;
}

/** The loop devices that back the lab's disk: one while it is mounted. */
async function loopDevices(): Promise<string[]> {
  if (!existsSync(diskImage)) return [];
  const { stdout } = await run('losetup', ['--noheadings', '--output', 'NAME', '--associated', diskImage], {
    allowFailure: true,
  });
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

/** Unmounts the disk and gives its loop device back. @throws OperatorError saying what keeps it busy. */
export async function detachDisk(): Promise<void> {
  // The mount namespaces of machines that were just cut go away a moment after their last process; on a starved machine, seconds.
  await until(
    'the disk of the lab is unmounted',
    async () => {
      if (!diskMounted()) return [];
      const unmounted = await run('umount', [diskMount], { allowFailure: true });
      return diskMounted() ? [unmounted.stderr || `${diskMount} is mounted more than once`] : [];
    },
    20_000,
  );
  // mount(8) set the device to detach itself; one that a kill left between attach and mount is detached here.
  for (const device of await loopDevices()) await run('losetup', ['--detach', device], { allowFailure: true });
}
