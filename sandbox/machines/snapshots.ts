import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../../support/command';
import { OperatorError } from '../../support/failure';
import { sandboxSecrets } from '../../support/paths';
import { readLabState, writeLabState, type LabState } from '../lab-state';
import { machinesHome, operatorHome, snapshotsHome } from './layout';

/** The snapshot that is taken after the lab was converged from nothing. */
export const convergedSnapshot = 'converged';

const snapshotShape = z.object({
  name: z.string(),
  /** ISO 8601. */
  created: z.string(),
  key: z.string(),
});

/** A kept state of the whole lab: the machines' disks and the operator's secrets of one moment. */
export type Snapshot = z.infer<typeof snapshotShape>;

/** The endings are those of drafts and descriptions, which would take the place of another snapshot's. */
const validName = /^(?!.*\.(?:new|old|json)$)[a-z0-9][a-z0-9._-]{0,40}$/;

function paths(name: string): { folder: string; about: string } {
  if (!validName.test(name)) {
    throw new OperatorError({
      attempted: 'use the snapshot name',
      where: name,
      expected: 'small letters, digits, dots and dashes, and no ending .new, .old or .json',
      next: 'choose a name like `converged` or `before-upgrade`.',
      exitCode: 2,
    });
  }
  return { folder: join(snapshotsHome, name), about: join(snapshotsHome, `${name}.json`) };
}

/** The snapshots on the mounted disk, newest first. */
export function listSnapshots(): Snapshot[] {
  if (!existsSync(snapshotsHome)) return [];
  return readdirSync(snapshotsHome)
    .filter((entry) => entry.endsWith('.json'))
    .flatMap((entry) => {
      const about = snapshotShape.safeParse(parseOrUndefined(readFileSync(join(snapshotsHome, entry), 'utf8')));
      return about.success && existsSync(join(snapshotsHome, about.data.name)) ? [about.data] : [];
    })
    .sort((a, b) => (a.created < b.created ? 1 : -1));
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keeps the lab as it is at this moment, running or not, in one step of the file system. Replaces one of the same name. */
export async function takeSnapshot(name: string, state: LabState): Promise<Snapshot> {
  const { folder, about } = paths(name);
  rmSync(operatorHome, { recursive: true, force: true });
  await run('cp', ['--archive', sandboxSecrets, operatorHome]);
  writeLabState(state, join(machinesHome, 'state.json'));
  const draft = `${folder}.new`;
  await dropSubvolume(draft);
  // What the machines wrote and the kernel still holds is written first: btrfs does so for the subvolume it takes.
  await run('btrfs', ['subvolume', 'snapshot', '-r', machinesHome, draft]);
  const snapshot: Snapshot = { name, created: new Date().toISOString(), key: state.key };
  writeFileSync(`${about}.new`, `${JSON.stringify(snapshot, null, 2)}\n`);
  // Named and described at once: a snapshot without its description is not listed, and `lab down` would not keep it.
  await replaceSubvolume(draft, folder, () => renameSync(`${about}.new`, about));
  return snapshot;
}

/**
 * The snapshot of that name. To be asked before anything is done for its sake: a name that is none costs nobody a lab.
 * @throws OperatorError (exit code 2) naming the snapshots there are, or saying how one comes to be.
 */
export function snapshotNamed(name: string, among: readonly Snapshot[] = listSnapshots()): Snapshot {
  const found = among.find((snapshot) => snapshot.name === name);
  if (found !== undefined) return found;
  const known = among.map((snapshot) => snapshot.name).join(', ');
  throw new OperatorError({
    attempted: 'restore the snapshot',
    where: name,
    expected: known ? `one of ${known}` : 'a snapshot',
    seen: known ? 'another name' : 'none was taken',
    next: known
      ? 'use one of these names.'
      : `keep a lab that is up with \`npm run lab -- snapshot\`; \`npm run lab -- up\` that makes one from nothing keeps \`${convergedSnapshot}\` itself.`,
    exitCode: 2,
  });
}

/**
 * The base system that a snapshot's machines were made over, without which they cannot be powered on.
 * @throws OperatorError (exit code 2) when it is not on this host any more.
 */
export function assertBaseThere({ name }: Snapshot): void {
  const base = readLabState(join(paths(name).folder, 'state.json'))?.base;
  if (base !== undefined && existsSync(base)) return;
  throw new OperatorError({
    attempted: 'restore the snapshot',
    where: name,
    expected: `the base system its machines were made over, ${base ?? 'which its state names'}`,
    seen: base === undefined ? 'no state of a lab in it' : 'it is not there any more',
    next: 'nothing was changed. Check out the sources it was taken with and run `npm run lab -- up --machines-only`, which makes that base system, or choose another one (`npm run lab -- snapshot --list`).',
    exitCode: 2,
  });
}

/** Whether a lab that is up is to be kept as `converged`: made from nothing, used by nobody, and not kept already. */
export function convergedIsDue(state: LabState, kept: readonly Snapshot[] = listSnapshots()): boolean {
  const already = kept.some(({ name, key }) => name === convergedSnapshot && key === state.key);
  return state.from === 'scratch' && state.used !== true && !already;
}

/**
 * Puts a snapshot in the place of the machines' disks and of the operator's secrets. The machines must be off.
 * @returns the lab's state at the time of the snapshot, as text.
 */
export async function putSnapshotBack({ name }: Snapshot): Promise<string> {
  const { folder } = paths(name);
  const draft = `${machinesHome}.new`;
  await dropSubvolume(draft);
  await run('btrfs', ['subvolume', 'snapshot', folder, draft]);
  await replaceSubvolume(draft, machinesHome);
  await putSecretsBack();
  return readFileSync(join(machinesHome, 'state.json'), 'utf8');
}

/** Empties the machines' disks. The machines must be off. */
export async function emptyMachines(): Promise<void> {
  const draft = `${machinesHome}.new`;
  await dropSubvolume(draft);
  await run('btrfs', ['subvolume', 'create', draft]);
  await replaceSubvolume(draft, machinesHome);
}

/** A kill between the two renames leaves no `machines`: ensureDisk then makes an empty one, which `lab up` fills again. */
async function replaceSubvolume(draft: string, place: string, placed: () => void = () => undefined): Promise<void> {
  const old = `${place}.old`;
  await dropSubvolume(old);
  if (existsSync(place)) renameSync(place, old);
  renameSync(draft, place);
  placed();
  await dropSubvolume(old);
}

async function dropSubvolume(folder: string): Promise<void> {
  if (existsSync(folder)) await run('btrfs', ['subvolume', 'delete', folder]);
}

/** The secrets of the snapshot's moment: Vault's key shares, the cluster's certificates and tokens belong to its disks. */
async function putSecretsBack(): Promise<void> {
  if (!existsSync(operatorHome)) return;
  const draft = `${sandboxSecrets}.new`;
  const old = `${sandboxSecrets}.old`;
  for (const folder of [draft, old]) rmSync(folder, { recursive: true, force: true });
  await run('cp', ['--archive', operatorHome, draft]);
  if (existsSync(sandboxSecrets)) renameSync(sandboxSecrets, old);
  else mkdirSync(join(sandboxSecrets, '..'), { recursive: true });
  renameSync(draft, sandboxSecrets);
  rmSync(old, { recursive: true, force: true });
}
