import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processStartTime } from '../lock';
import { cgroupParent } from './layout';

/** Where a cgroup hierarchy is mounted; `controllers` is empty for v2. */
interface Hierarchy {
  mount: string;
  version: 1 | 2;
  controllers: string[];
}

/** The host's cgroup hierarchies: one on a v2 host, one a controller on a v1 or hybrid host (proc(5), mountinfo). */
export function hierarchies(mountinfo: string = readFileSync('/proc/self/mountinfo', 'utf8')): Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    if (before === undefined || after === undefined) continue;
    const mount = before.split(' ')[4] ?? '';
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') found.set(mount, { mount, version: 2, controllers: [] });
    if (type === 'cgroup')
      found.set(mount, { mount, version: 1, controllers: options.split(',').filter((o) => o !== 'rw' && o !== 'ro') });
  }
  return [...found.values()].filter((hierarchy) => hierarchy.mount.startsWith('/sys/fs/cgroup'));
}

/**
 * Makes `lab/<machine>` in every hierarchy (the kubelet's cgroupRoot) and the leaf `init` below it, in which the machine's
 * services run: in v2 a group with processes may not have child groups with controllers.
 * @returns the `init` leaf of every hierarchy.
 */
export function createMachineCgroups(machine: string): string[] {
  return hierarchies().map((hierarchy) => createGroup(hierarchy, [cgroupParent, machine, 'init']));
}

/**
 * The groups of commands that work on the lab, each with all it starts: `operator/PID-STARTTIME`. By them the next command
 * finds what one that was killed left running.
 */
const operatorGroup = 'operator';

/** Where this process was before it entered its operator's group: a group of each hierarchy. */
let before: string[] = [];

function ownOperatorGroup(): string {
  return `${process.pid}-${processStartTime(process.pid) ?? ''}`;
}

/** Puts this process, and so every child it starts from now on, into an operator's group. */
export function enterOperatorCgroup(): void {
  before = ownGroups();
  for (const hierarchy of hierarchies()) {
    const group = createGroup(hierarchy, [cgroupParent, operatorGroup, ownOperatorGroup()]);
    writeFileSync(join(group, 'cgroup.procs'), String(process.pid));
  }
}

/** Takes this process back to where it was. */
export function leaveOperatorCgroup(): void {
  for (const group of before) writeFileSync(join(group, 'cgroup.procs'), String(process.pid));
  before = [];
  removeCgroups(operatorGroup);
}

/** Processes that a command on the lab started and that outlived it. */
export function operatorLeftovers(): number[] {
  const owners = new Set(hierarchies().flatMap(({ mount }) => subgroups(join(mount, cgroupParent, operatorGroup))));
  return [...owners].flatMap((owner) => {
    const [pid, startTime] = owner.split('-');
    return processStartTime(Number(pid)) === startTime ? [] : cgroupProcesses(join(operatorGroup, owner));
  });
}

/** The group of this process in every hierarchy (cgroups(7), /proc/PID/cgroup). */
function ownGroups(): string[] {
  const lines = readLines('/proc/self/cgroup').map((line) => line.split(':'));
  return hierarchies().flatMap(({ mount, version, controllers }) => {
    const own = lines.find(([id, names = '']) =>
      version === 2 ? id === '0' : names.split(',').some((name) => controllers.includes(name)),
    );
    return own?.[2] === undefined ? [] : [join(mount, own[2])];
  });
}

function createGroup(hierarchy: Hierarchy, path: string[]): string {
  let group = hierarchy.mount;
  for (const part of path) {
    if (hierarchy.version === 2) enableControllers(group);
    const child = join(group, part);
    mkdirSync(child, { recursive: true });
    // A v1 cpuset starts empty and takes no process until it has processors and memory nodes.
    if (hierarchy.controllers.includes('cpuset')) {
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        const own = readFileSync(join(child, file), 'utf8').trim();
        if (own === '') writeFileSync(join(child, file), readFileSync(join(group, file), 'utf8'));
      }
    }
    group = child;
  }
  return group;
}

function enableControllers(group: string): void {
  const available = readFileSync(join(group, 'cgroup.controllers'), 'utf8').trim().split(' ').filter(Boolean);
  for (const controller of available) {
    try {
      writeFileSync(join(group, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // Some controllers cannot be handed down (cpu with real-time processes): the machine does without.
    }
  }
}

/** Every process in the machine's groups, pods included; of the whole lab when no machine is named. Host pids. */
export function cgroupProcesses(machine?: string): number[] {
  const pids = new Set<number>();
  for (const hierarchy of hierarchies()) {
    for (const group of groupsBelow(join(hierarchy.mount, cgroupParent, machine ?? ''))) {
      for (const pid of readLines(join(group, 'cgroup.procs'))) pids.add(Number(pid));
    }
  }
  // 0 stands for a process this pid namespace cannot see.
  pids.delete(0);
  return [...pids];
}

/** Removes the machine's groups, or the lab's. @returns the groups that would not go because processes are left in them. */
export function removeCgroups(machine?: string): string[] {
  const left: string[] = [];
  for (const hierarchy of hierarchies()) {
    for (const group of groupsBelow(join(hierarchy.mount, cgroupParent, machine ?? '')).reverse()) {
      try {
        rmdirSync(group);
      } catch {
        if (existsSync(group)) left.push(group);
      }
    }
  }
  return left;
}

/** Bytes of memory the machine's processes hold, without the page cache where the kernel tells them apart. */
export function memoryInUse(machine?: string): number | undefined {
  for (const hierarchy of hierarchies()) {
    const stat = readLines(join(hierarchy.mount, cgroupParent, machine ?? '', 'memory.stat'));
    const line = stat.find((entry) => /^(total_rss|anon) /.test(entry));
    if (line !== undefined) return Number(line.split(' ')[1]);
  }
  return undefined;
}

function subgroups(group: string): string[] {
  try {
    return readdirSync(group, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

/** The group and all groups below it, parents first; empty when it does not exist. */
function groupsBelow(group: string): string[] {
  if (!existsSync(group)) return [];
  const below: string[] = [];
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) {
      if (entry.isDirectory()) below.push(...groupsBelow(join(group, entry.name)));
    }
  } catch {
    // The group went away while it was read.
  }
  return [group, ...below];
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

/** Controllers the kubelet cannot do without that this host lacks. */
export function missingControllers(): string[] {
  const offered = new Set(
    hierarchies().flatMap((hierarchy) =>
      hierarchy.version === 1
        ? hierarchy.controllers
        : (readLines(join(hierarchy.mount, 'cgroup.controllers'))[0] ?? '').split(' '),
    ),
  );
  return ['cpu', 'cpuset', 'memory', 'pids'].filter((controller) => !offered.has(controller));
}
