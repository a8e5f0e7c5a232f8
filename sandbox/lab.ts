import { mkdirSync, rmSync } from 'node:fs';
import { run } from '../support/command';
import type { Inventory } from '../support/inventory';
import { labHome } from '../support/paths';
import { removeCgroups } from './machines/cgroups';
import { detachDisk, ensureDisk } from './machines/disk';
import { ensureEdge, removeEdge } from './machines/edge';
import { diskImage, diskMount, labStateFile, runHome } from './machines/layout';
import { bootMedia } from './machines/media';
import { assertSubnetsFree, ensureBridge, ensureRoutes, removeBridge } from './machines/network';
import { ensureOperatorKey, prepareMachine, writeKnownHosts } from './machines/operator';
import { initPid, powerCut, powerOn } from './machines/power';

/** Says one line of progress. */
export type Say = (line: string) => void;

/** Brings up the network, the disk and the machines, whatever of them is there already. */
export async function machinesUp(inventory: Inventory, say: Say): Promise<void> {
  await assertSubnetsFree(inventory);
  mkdirSync(labHome, { recursive: true, mode: 0o700 });
  mkdirSync(runHome, { recursive: true, mode: 0o700 });
  const media = await bootMedia();
  await Promise.all([ensureDisk(say), ensureEdge(inventory).then(() => ensureBridge(inventory)), ensureOperatorKey()]);
  await Promise.all(
    inventory.machines
      .filter((machine) => initPid(machine.name) === undefined)
      .map((machine) => prepareMachine(inventory, machine)),
  );
  writeKnownHosts(inventory);
  await Promise.all(inventory.machines.map((machine) => powerOn(inventory, machine, media)));
  await ensureRoutes(inventory);
}

/** Takes the lab away: machines, network, edge, cgroups, disk. Works on a half-made lab. */
export async function labDown(inventory: Inventory, options: { purge: boolean }): Promise<void> {
  await Promise.all(inventory.machines.map((machine) => powerCut(machine.name)));
  await Promise.all([removeBridge(), removeEdge(), detachDisk()]);
  removeCgroups();
  for (const path of [runHome, diskMount, labStateFile]) rmSync(path, { recursive: true, force: true });
  if (options.purge) rmSync(diskImage, { force: true });
  await run('true');
}
