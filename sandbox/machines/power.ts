import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { childEnvironment, run } from '../../support/command';
import { OperatorError } from '../../support/failure';
import type { Inventory, Machine } from '../../support/inventory';
import { processStartTime } from '../lock';
import { cgroupProcesses, createMachineCgroups, removeCgroups } from './cgroups';
import { bridgeName, cableName, consoleLog, initRecord, machineHome, rootMountPoint, runHome } from './layout';
import { machineNetworkBatch, removeCable } from './network';
import { isRunning, processStatus, signal } from './processes';
import { until, untilOrGoOn } from './until';

const recordShape = z.object({ pid: z.number().int().positive(), startTime: z.string() });

/** What a boot needs from outside: where the base system and the forge's store lie. */
export interface BootMedia {
  /** The machines' root file system, the overlay's lower folder. */
  base: string;
  /** The forge's store, seen at /opt/forge. */
  forge: string;
}

/**
 * Powers a machine on and returns when its init has taken over; services follow. A machine that runs already stays as it is.
 * @returns the init's host pid.
 * @throws OperatorError with the end of its console when it does not boot.
 */
export async function powerOn(inventory: Inventory, machine: Machine, media: BootMedia): Promise<number> {
  const running = initPid(machine.name);
  if (running !== undefined && isOn(machine.name)) return running;
  await endLeftovers(machine.name);
  mkdirSync(rootMountPoint, { recursive: true });
  const network = join(runHome, `${machine.name}.network`);
  writeFileSync(network, machineNetworkBatch(inventory, machine));
  const log = openSync(consoleLog(machine.name), 'w', 0o600);
  const child = spawn('/bin/sh', [join(__dirname, 'boot.sh'), 'host'], {
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    env: childEnvironment({
      LAB_MACHINE: machine.name,
      LAB_HOME_DIR: machineHome(machine.name).home,
      LAB_BASE: media.base,
      LAB_ROOT: rootMountPoint,
      LAB_FORGE: media.forge,
      LAB_CABLE: cableName(machine.name),
      LAB_BRIDGE: bridgeName,
      LAB_CGROUPS: createMachineCgroups(machine.name).join(' '),
      LAB_NETWORK: network,
    }),
  });
  closeSync(log);
  child.unref();
  const ready = child.stdio[3];
  if (!(await saysReady(ready))) {
    await powerCut(machine.name);
    throw new OperatorError({
      attempted: 'power the machine on',
      where: machine.name,
      seen: consoleTail(machine.name),
      next: `run \`npm run lab -- doctor\`, mend what it names, then \`npm run lab -- power on ${machine.name}\`.`,
    });
  }
  const pid = findInit(machine.name);
  if (pid === undefined)
    throw new OperatorError({
      attempted: 'find the init of a machine that booted',
      where: machine.name,
      seen: consoleTail(machine.name),
      next: `run \`npm run lab -- power on ${machine.name}\` again.`,
    });
  writeFileSync(initRecord(machine.name), JSON.stringify({ pid, startTime: processStartTime(pid) ?? '' }));
  return pid;
}

/** Resolves true when the boot script hands over to the init, false when it ends before. */
function saysReady(stream: unknown): Promise<boolean> {
  return new Promise((resolve) => {
    const pipe = stream as NodeJS.ReadableStream & { destroy(): void };
    const done = (ready: boolean): void => {
      resolve(ready);
      pipe.destroy();
    };
    pipe.once('data', () => done(true));
    pipe.once('end', () => done(false));
    pipe.once('error', () => done(false));
  });
}

/** Seconds that services get to stop after TERM when a machine is powered off. */
const stopSeconds = 10;

/**
 * Powers a machine off as an operator would: services get TERM and time to stop, then everything else, then the init.
 * A machine that is off stays off.
 */
export async function powerOff(machine: string): Promise<void> {
  const init = initPid(machine);
  if (init === undefined) return powerCut(machine);
  const stop = `set -- /etc/lab-service/*; [ -e "$1" ] && sv -w ${stopSeconds} force-stop "$@" > /dev/null; true`;
  await run('nsenter', [...inside(init), 'sh', '-c', stop], {
    allowFailure: true,
    timeoutMs: (stopSeconds + 5) * 1000,
  });
  const others = (): number[] =>
    cgroupProcesses(machine).filter((pid) => isRunning(pid) && !supervision.has(processStatus(pid)?.name ?? ''));
  for (const pid of others()) signal(pid, 'SIGTERM');
  await untilOrGoOn(`the processes of ${machine} end`, () => others().map(describeProcess), 5_000);
  await powerCut(machine);
}

/** Names of the processes that hold a machine together; they end with its init. */
const supervision = new Set(['runsvdir', 'runsv', 'svlogd', 'unshare']);

/** Pulls a machine's plug: SIGKILL of its init, upon which the kernel ends the rest and takes its mounts and links away. */
export async function powerCut(machine: string): Promise<void> {
  const init = initPid(machine);
  if (init !== undefined) signal(init, 'SIGKILL');
  await endLeftovers(machine);
}

/** Ends whatever is left in the machine's cgroups, also of a boot that was interrupted, and gives its names back. */
async function endLeftovers(machine: string): Promise<void> {
  await until(`every process of ${machine} is gone`, () => {
    const init = findInit(machine);
    // The init first: processes inside a pid namespace die with it, in one go.
    const pids = init === undefined ? cgroupProcesses(machine) : [init];
    for (const pid of pids.filter(isRunning)) signal(pid, 'SIGKILL');
    return cgroupProcesses(machine).filter(isRunning).map(describeProcess);
  });
  rmSync(initRecord(machine), { force: true });
  await removeCable(machine);
  await until(`the cgroups of ${machine} are gone`, () => removeCgroups(machine));
}

function describeProcess(pid: number): string {
  return `process ${pid} (${processStatus(pid)?.name ?? 'ended'})`;
}

/** The host pid of a machine's init, or undefined when the machine is off. Survives a lost or stale record. */
export function initPid(machine: string): number | undefined {
  try {
    const record = recordShape.parse(JSON.parse(readFileSync(initRecord(machine), 'utf8')));
    if (processStartTime(record.pid) === record.startTime) return record.pid;
  } catch {
    // No record, or one a kill left half-written: the machine's cgroups know its processes.
  }
  return findInit(machine);
}

/** True when the machine's init has taken over; a boot that was interrupted half-way does not count. */
export function isOn(machine: string): boolean {
  const init = initPid(machine);
  return init !== undefined && processStatus(init)?.name === 'runsvdir';
}

/** In a machine's cgroups, the process that is number 1 of a pid namespace directly below ours (a container's is deeper). */
function findInit(machine: string): number | undefined {
  const depth = processStatus(process.pid)?.namespacePids.length ?? 1;
  return cgroupProcesses(machine).find((pid) => {
    const inner = processStatus(pid)?.namespacePids ?? [];
    return inner.length === depth + 1 && inner.at(-1) === 1 && isRunning(pid);
  });
}

/** Arguments with which nsenter runs a program inside the machine whose init has this host pid. */
export function inside(init: number): string[] {
  return ['--target', String(init), '--mount', '--uts', '--ipc', '--net', '--pid', '--root', '--wd', '--'];
}

/** Seconds since the machine's init started; undefined when it is off. */
export function uptimeSeconds(machine: string): number | undefined {
  const init = initPid(machine);
  const started = init === undefined ? undefined : processStartTime(init);
  if (started === undefined) return undefined;
  const hostUptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  // proc(5) counts start times in USER_HZ, which is 100 on every architecture Linux supports here.
  return Math.max(0, hostUptime - Number(started) / 100);
}

/** The last lines a machine printed before its init took over. */
function consoleTail(machine: string): string {
  try {
    return (
      readFileSync(consoleLog(machine), 'utf8').trim().split('\n').slice(-4).join(' | ') || 'nothing on its console'
    );
  } catch {
    return 'no console';
  }
}

/** When a machine was last powered on; undefined when it is off. */
export function poweredOnAt(machine: string): Date | undefined {
  if (initPid(machine) === undefined) return undefined;
  return statSync(initRecord(machine), { throwIfNoEntry: false })?.mtime;
}
