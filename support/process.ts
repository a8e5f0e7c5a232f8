import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const linux = process.platform === 'linux';

/**
 * Start time of a process: on Linux in clock ticks since boot (proc(5)), elsewhere (a Mac that drives TARGET=vms) as ps(1)
 * says it. Undefined when it is gone or a zombie.
 */
export function processStartTime(pid: number): string | undefined {
  if (!linux) return startTimeByPs(pid);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and brackets; the fields after its last bracket do not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The date and second at which a process was started. */
export function startTimeByPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Which boot of this host this is. Elsewhere than on Linux start times are dates already. */
export function bootId(): string {
  if (!linux) return 'none';
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Tells a running process from every other, also from a later one with its pid; undefined when it is gone. */
export function processIdentity(pid: number): string | undefined {
  const started = processStartTime(pid);
  return started === undefined ? undefined : `${bootId()} ${pid} ${started}`;
}
