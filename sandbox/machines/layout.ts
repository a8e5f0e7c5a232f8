import { join } from 'node:path';
import { OperatorError } from '../../support/failure';
import { readInventory, type Inventory } from '../../support/inventory';
import { labHome } from '../../support/paths';

/**
 * The lab's name: `lab`, unless LAB_NAME says otherwise. A second lab beside it (test/kills.ts makes one) needs a name, a
 * LAB_HOME and an inventory with networks (LAB_INVENTORY) of its own.
 */
const labName = chosenName(process.env['LAB_NAME'] ?? 'lab');

function chosenName(name: string): string {
  if (/^[a-z][a-z0-9]{0,7}$/.test(name)) return name;
  throw new OperatorError({
    attempted: 'use the lab name in LAB_NAME',
    expected: '1 to 8 small letters and digits, a letter first',
    seen: `"${name}"`,
    next: 'unset LAB_NAME or choose another.',
    exitCode: 2,
  });
}

/** The lab's inventory: the project's, unless LAB_INVENTORY names another. */
export function labInventory(): Inventory {
  return readInventory();
}

/** Names of the kernel objects the lab makes on the host: each says what it belongs to, and nothing else is ever touched. */
export const bridgeName = `br-${labName}`;
export const filterTable = `sandbox_${labName}`;
export const cgroupParent = labName;

/** The host's end of a machine's cable. Interface names hold at most 15 characters. */
export function cableName(machine: string): string {
  return `${labName}-${machine}`.slice(0, 15);
}

/** The lab's disk image and where it is mounted. */
export const diskImage = join(labHome, 'disk.img');
/** Images that could not be mounted, set aside with whatever snapshots are on them, begin like this and end in a time. */
export const diskImageAside = `${diskImage}.unmountable-`;
export const diskMount = join(labHome, 'disk');

/** The subvolume that holds everything a snapshot keeps: the machines' disks, the operator's secrets, the lab's state. */
export const machinesHome = join(diskMount, 'machines');
export const snapshotsHome = join(diskMount, 'snapshots');
export const operatorHome = join(machinesHome, 'operator');

/** Files of the running lab beside its disk; all of it goes with `down`. */
export const runHome = join(labHome, 'run');
export const labLockFile = join(labHome, 'lab.lock');
/** Held by the suite while it tests the lab. */
export const suiteLockFile = join(labHome, 'suite.lock');
export const labStateFile = join(labHome, 'state.json');

/** An empty folder on which every machine mounts its root, each in its own mount namespace. */
export const rootMountPoint = join(runHome, 'root');

/** One machine's folders: `upper` and `work` of its overlay, and `data`, its disk. */
export function machineHome(machine: string): { home: string; upper: string; work: string; data: string } {
  const home = join(machinesHome, machine);
  return { home, upper: join(home, 'upper'), work: join(home, 'work'), data: join(home, 'data') };
}

/** What a machine printed before its init took over, and the record of that init. */
export function consoleLog(machine: string): string {
  return join(runHome, `${machine}.console`);
}
export function initRecord(machine: string): string {
  return join(runHome, `${machine}.init.json`);
}
