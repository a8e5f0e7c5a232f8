import { readFileSync } from 'node:fs';

/** What the kernel says of a process: its name and its pid in every pid namespace from ours to its own (proc(5)). */
export interface ProcessStatus {
  pid: number;
  name: string;
  state: string;
  namespacePids: number[];
}

/** Reads /proc/PID/status; undefined when the process is gone. */
export function processStatus(pid: number): ProcessStatus | undefined {
  try {
    return parseStatus(pid, readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Parses the text of /proc/PID/status. */
export function parseStatus(pid: number, text: string): ProcessStatus {
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return {
    pid,
    name: field('Name'),
    state: field('State').slice(0, 1),
    namespacePids: field('NSpid').split(/\s+/).filter(Boolean).map(Number),
  };
}

/** True while the process lives; a zombie does not. */
export function isRunning(pid: number): boolean {
  const status = processStatus(pid);
  return status !== undefined && status.state !== 'Z' && status.state !== 'X';
}

/** Sends a signal; a process that is gone already is not an error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}
