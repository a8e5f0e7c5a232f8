import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reason } from '../support/failure';
import type { Inventory } from '../support/inventory';
import { labHome } from '../support/paths';
import { cgroupProcesses, leaveOperatorCgroup, operatorLeftovers, removeCgroups } from './machines/cgroups';
import { detachDisk, diskMounted, ensureDisk } from './machines/disk';
import { ensureEdge, removeEdge } from './machines/edge';
import {
  diskImage,
  diskImageAside,
  diskMount,
  labStateFile,
  machinesHome,
  rootMountPoint,
  runHome,
} from './machines/layout';
import { bridgeTaken, ensureBridge, ensureRoutes, plugCable, removeBridge } from './machines/network';
import { ensureOperatorKey, prepareMachine, setSecretsAside, writeKnownHosts } from './machines/operator';
import { isOn, powerCut, powerOn, type BootMedia } from './machines/power';
import { isRunning, signal } from './machines/processes';
import { untilReachable } from './machines/reach';
import { assertBaseThere, emptyMachines, listSnapshots, putSnapshotBack, snapshotNamed } from './machines/snapshots';
import { until } from './machines/until';
import { readLabState, writeLabState, type LabState } from './lab-state';

/** Says one line of progress. */
export type Say = (line: string) => void;

const labIdFile = join(machinesHome, 'lab-id');

/** Mounts the lab's disk, making it where there is none. */
export async function openLab(say: Say): Promise<void> {
  mkdirSync(labHome, { recursive: true, mode: 0o700 });
  await ensureDisk(say);
}

/** The state of the lab whose machines lie on the mounted disk; undefined when state and disk are not of one lab. */
export function stateOfDisk(): LabState | undefined {
  const state = readLabState();
  return state !== undefined && existsSync(labIdFile) && readFileSync(labIdFile, 'utf8') === state.labId
    ? state
    : undefined;
}

/**
 * Cuts all machines, empties their disks and puts the old secrets aside. The old state goes first and the new one comes
 * last: a kill in between leaves no state, and the next `lab up` begins again.
 */
export async function beginLab(inventory: Inventory, state: LabState): Promise<void> {
  await cutAll(inventory);
  rmSync(labStateFile, { force: true });
  await setSecretsAside();
  await emptyMachines();
  writeFileSync(labIdFile, state.labId);
  writeLabState(state);
}

/**
 * Cuts all machines and puts a snapshot in the place of their disks.
 * @returns the lab's state of that moment.
 * @throws OperatorError (exit code 2) before anything is touched when there is no snapshot of that name, or not its base system.
 */
export async function rewindLab(inventory: Inventory, name: string): Promise<LabState> {
  const snapshot = snapshotNamed(name);
  assertBaseThere(snapshot);
  await cutAll(inventory);
  rmSync(labStateFile, { force: true });
  writeFileSync(labStateFile, await putSnapshotBack(snapshot), { mode: 0o600 });
  const state = readLabState();
  if (state === undefined) throw new Error(`snapshot ${name} holds no state of a lab`);
  const recovering: LabState = { ...state, status: 'recovering', from: name };
  writeLabState(recovering);
  return recovering;
}

/**
 * Brings up the network and powers on the machines that are off.
 * @returns the names of those that were.
 */
export async function machinesUp(inventory: Inventory, media: BootMedia): Promise<string[]> {
  mkdirSync(rootMountPoint, { recursive: true, mode: 0o700 });
  await ensureEdge(inventory);
  await Promise.all([ensureBridge(inventory), ensureOperatorKey()]);
  const plugged = await Promise.all(inventory.machines.map(async ({ name }) => isOn(name) && (await plugCable(name))));
  const off = inventory.machines.filter((_, index) => plugged[index] !== true);
  await Promise.all(
    off.map(async (machine) => {
      await powerCut(machine.name);
      await prepareMachine(inventory, machine);
    }),
  );
  writeKnownHosts(inventory);
  await Promise.all(off.map((machine) => powerOn(inventory, machine, media)));
  await ensureRoutes(inventory);
  await Promise.all(inventory.machines.map(untilReachable));
  return off.map((machine) => machine.name);
}

/** Cuts every machine of the lab, also one the inventory no longer names. */
async function cutAll(inventory: Inventory): Promise<void> {
  await Promise.all(inventory.machines.map((machine) => powerCut(machine.name)));
}

/** Ends what an earlier `lab up` started and could not end itself because it was killed. */
export async function endOrphans(): Promise<void> {
  await until('the children of an earlier `lab up` are gone', () => {
    const left = operatorLeftovers().filter(isRunning);
    for (const pid of left) signal(pid, 'SIGKILL');
    return left.map(String);
  });
}

/** What `down` kept. */
export interface DownResult {
  /** Names of the snapshots for whose sake the disk image stays; empty when it is gone. */
  kept: string[];
  /** Why the machines' disks could not be emptied and stay in it, too. */
  full?: string;
}

/** Disk images that could not be mounted and were set aside. */
function asides(): string[] {
  if (!existsSync(labHome)) return [];
  const all = readdirSync(labHome).map((name) => join(labHome, name));
  return all.filter((file) => file.startsWith(diskImageAside));
}

/** Takes the lab away: processes, network, edge, cgroups, disk. Works on a half-made lab and without a state. */
export async function labDown(inventory: Inventory, options: { purge: boolean }): Promise<DownResult> {
  await cutAll(inventory);
  await until('every process of the lab is gone', () => {
    const left = cgroupProcesses().filter((pid) => pid !== process.pid && isRunning(pid));
    for (const pid of left) signal(pid, 'SIGKILL');
    return left.map(String);
  });
  leaveOperatorCgroup();
  // Another interface of that name is not the lab's to remove.
  const foreign = await bridgeTaken(inventory);
  const unbridged = foreign === undefined ? removeBridge() : Promise.resolve();
  await Promise.all([unbridged.then(removeEdge), until('the cgroups of the lab are gone', () => removeCgroups())]);
  const kept = diskMounted() && !options.purge ? listSnapshots().map((snapshot) => snapshot.name) : [];
  const unseen = !diskMounted() && existsSync(diskImage) && !options.purge;
  // A file system that went read-only, because the host's disk was full, is well again once it is unmounted.
  const full = kept.length > 0 ? await emptyMachines().then(() => undefined, reason) : undefined;
  await detachDisk();
  // Never what is below it: were it still mounted, the operator's snapshots would be.
  if (existsSync(diskMount)) rmdirSync(diskMount);
  for (const path of [runHome, labStateFile, `${labStateFile}.new`, `${diskImage}.new`]) {
    rmSync(path, { recursive: true, force: true });
  }
  // An image that was not mounted may hold snapshots nobody has looked at: it stays until --purge.
  if (kept.length === 0 && !unseen) rmSync(diskImage, { force: true });
  if (options.purge) for (const aside of asides()) rmSync(aside, { force: true });
  return { kept, ...(full === undefined ? {} : { full }) };
}
