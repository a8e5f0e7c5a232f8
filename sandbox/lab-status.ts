import { existsSync, statSync } from 'node:fs';
import type { Inventory } from '../support/inventory';
import { componentStates } from './forge/states';
import { stateOfDisk } from './lab';
import type { LabState } from './lab-state';
import { lockHolder } from './lock';
import { memoryInUse } from './machines/cgroups';
import { diskMounted } from './machines/disk';
import { edgeCounters, edgeStands, type EdgeCounters } from './machines/edge';
import { diskImage, labLockFile } from './machines/layout';
import { isOn, uptimeSeconds } from './machines/power';
import { accepts } from './machines/reach';
import { machineServices, type ServiceState } from './machines/services';
import { listSnapshots, type Snapshot } from './machines/snapshots';
import { parts, type Part } from './parts';

/** What `lab status` shows. */
export interface LabStatus {
  /** `down`, or the state's own word. */
  status: 'down' | LabState['status'];
  /** The command that works on the lab just now. */
  busy?: { command: string; pid: number; since: string };
  since?: string;
  from?: string;
  machines: MachineStatus[];
  stages: Record<string, LabState['stages'][string]>;
  components: Part[];
  endpoints: EndpointStatus[];
  edge?: EdgeCounters;
  snapshots: Snapshot[];
  /** Bytes the disk image takes, and whether it is mounted. */
  disk: { image: string; bytes: number; mounted: boolean };
  memoryBytes?: number;
}

export interface MachineStatus {
  name: string;
  address: string;
  power: 'on' | 'off';
  uptimeSeconds?: number;
  memoryBytes?: number;
  services: ServiceState[];
}

export interface EndpointStatus {
  name: string;
  endpoint: string;
  /** Whether it accepts connections. */
  answers: boolean;
}

/** Looks at the lab; changes nothing and needs no lock. */
export async function labStatus(inventory: Inventory): Promise<LabStatus> {
  const state = stateOfDisk();
  const holder = lockHolder(labLockFile);
  const machines = inventory.machines.map(({ name, address }) => machineStatus(name, address));
  const up = machines.some((machine) => machine.power === 'on');
  const memoryBytes = memoryInUse();
  return {
    status: state?.status ?? 'down',
    ...(holder ? { busy: { command: holder.command, pid: holder.pid, since: holder.since } } : {}),
    ...(state ? { since: state.since, from: state.from } : {}),
    machines,
    stages: state?.stages ?? {},
    components: parts(state?.base, await componentStates()),
    endpoints: await Promise.all(
      Object.entries(inventory.endpoints).map(async ([name, endpoint]) => ({
        name,
        endpoint,
        answers: up && (await answers(endpoint)),
      })),
    ),
    ...((await edgeStands()) ? { edge: await edgeCounters() } : {}),
    snapshots: diskMounted() ? listSnapshots() : [],
    disk: {
      image: diskImage,
      bytes: existsSync(diskImage) ? statSync(diskImage).blocks * 512 : 0,
      mounted: diskMounted(),
    },
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

function machineStatus(name: string, address: string): MachineStatus {
  const uptime = uptimeSeconds(name);
  const memoryBytes = memoryInUse(name);
  return {
    name,
    address,
    power: isOn(name) ? 'on' : 'off',
    ...(uptime === undefined ? {} : { uptimeSeconds: Math.round(uptime) }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    services: machineServices(name),
  };
}

function answers(endpoint: string): Promise<boolean> {
  const url = new URL(endpoint.includes('://') ? endpoint : `tcp://${endpoint}`);
  return accepts(url.hostname, Number(url.port || (url.protocol === 'https:' ? 443 : 80)));
}
