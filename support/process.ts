import { readFileSync } from 'node:fs';

/** Start time of a process in clock ticks since boot; undefined when it is gone or a zombie (proc(5)). */
export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and brackets; the fields after its last bracket do not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Which boot of this host this is. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Tells a running process from every other, also from a later one with its pid; undefined when it is gone. */
export function processIdentity(pid: number): string | undefined {
  const started = processStartTime(pid);
  return started === undefined ? undefined : `${bootId()} ${pid} ${started}`;
}
